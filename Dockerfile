# The page in an image: built in one stage, run in another without pip, compilers or root.
FROM python:3.11-slim-bookworm AS build
WORKDIR /src
COPY . .
RUN python -m venv /opt/paperchat \
 && /opt/paperchat/bin/pip install --no-cache-dir -c constraints.txt . \
 && /opt/paperchat/bin/pip uninstall -y pip setuptools

FROM python:3.11-slim-bookworm
COPY --from=build /opt/paperchat /opt/paperchat
RUN rm -rf /usr/local/lib/python3.11/site-packages/* /usr/local/bin/pip* \
 && useradd --uid 10001 --create-home paperchat \
 && install -d -o paperchat -g paperchat /data
USER paperchat
WORKDIR /home/paperchat
ENV PATH=/opt/paperchat/bin:$PATH PAPERCHAT_STORE=/data PYTHONUNBUFFERED=1
VOLUME /data
EXPOSE 7860 9464
HEALTHCHECK --interval=30s --timeout=5s --start-period=120s CMD ["python", "-c", \
  "import urllib.request as r; r.build_opener(r.ProxyHandler({})).open('http://127.0.0.1:7860/', timeout=4)"]
ENTRYPOINT ["paperchat"]
CMD ["chat", "--host", "0.0.0.0", "--metrics-port", "9464"]
