"""Which shape an answer takes, by rules that can be read, and what a follow-up refers to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from rag.names import marked_names
from rag.text import fold, squeeze
from rag.types import Answer, Shape
from rag.words import content_words

# A message made of these words alone is small talk, in whatever order they come.
_SMALL_TALK = frozenset(
    """
    hi hii hiya hello helo hey heya yo howdy greetings good morning afternoon evening day night
    hallo guten tag morgen abend bonjour bonsoir salut hola buenos buenas buen dias tardes noches
    ciao buongiorno ola oi namaste merhaba hej moin servus qué que tal ça ca va wie geht's gehts
    привет здравствуйте 你好 您好 こんにちは 안녕하세요 नमस्ते مرحبا 谢谢 ありがとう спасибо
    thanks thank tanks thx thanx ty cheers merci beaucoup danke schön schon gracias muchas obrigado
    obrigada grazie bye goodbye see ya later tschüss tschuss au revoir bientot bientôt à a adios
    ok okay k cool great nice awesome perfect wonderful excellent wow lol haha done got it i you u ur
    your very much so lot lots well job bot work again there all everyone everybody anybody anyone
    team friend mate buddy paperchat assistant helpful help helped is was are am that that's this
    these those just what i needed wanted for the answer answers time and my name have has had an to
    tomorrow soon now then how are doing today going what's whats up sup meet welcome home here sorry
    oops wrong window nevermind never mind me please yes no yep nope sure right fine not bad at good
    at be been in of on with it's its really too pretty amazing love
    """.split()
)
# … but only if one of these is among them: "what is this" is made of small words too.
_SOCIAL = frozenset(
    """
    hi hii hiya hello helo hey heya yo howdy greetings morning afternoon evening hallo guten bonjour
    bonsoir salut hola buenos buenas ciao buongiorno ola oi namaste merhaba hej moin servus привет
    здравствуйте 你好 您好 こんにちは 안녕하세요 नमस्ते مرحبا 谢谢 ありがとう спасибо thanks thank tanks thx
    thanx ty cheers merci danke gracias obrigado obrigada grazie bye goodbye later tschüss tschuss
    revoir adios ok okay k cool great nice awesome perfect wonderful excellent wow lol haha sorry oops
    welcome helpful amazing nevermind night job
    """.split()
)
_OPENING = re.compile(
    r"^(?:(?:hi+|hello|hey+|hallo|hola|bonjour|good (?:morning|afternoon|evening)|thanks?|thank you"
    r"|thx|ok(?:ay)?|great|cool|nice|perfect|again|there|so much|a lot|very much|all|everyone"
    r"|paperchat|please)\b[\s,.!;:-]*)+",
    re.IGNORECASE,
)
_END = r"(?:\s+(?:here|for me|with|about|in here|in this collection|then|exactly|to you|of you|now))*[\s?!.]*$"
_HOLDINGS = r"(?:papers?|abstracts?|documents?|articles?|topics?|subjects?|areas?|questions?)"
_US = r"(?:collection|corpus|library|database|archive|tool|site|page|app|thing|chat|assistant|bot|paperchat)"
_ABOUT_US = re.compile(
    "|".join(
        (
            rf"\bw(?:hat|aht) (?:else |\w+ of things )?(?:can|could|do|may) (?:you|i|we) (?:actually |even )?(?:do|ask|help|offer|answer)(?: (?:me|you))?{_END}",
            rf"\bwhat should i ask(?: you)?{_END}",
            r"\bwho (?:are|r) (?:you|u)\b|\bwhat are you\b|\bwho am i (?:talking|speaking|chatting)",
            r"\bare you (?:a |an )?(?:bot|ai|human|real|person|chatgpt|robot|language model|llm|chatbot)\b",
            rf"\bhow (?:do|does|can|should) (?:i|you|we|this|it|one)(?: \w+)? ?(?:use|work|get started|start)(?: (?:this|you|it))?(?: {_US})?{_END}",
            r"\bhow do you (?:find|get|choose|pick|know|make|come up with|produce|check) (?:\w+ )?(?:answers?|sources?|quotes?|citations?|evidence|sentences?)\b",
            rf"\bwhat(?:'s| is| are)? (?:\w+ ){{0,3}}(?:in )?(?:this|the|your) {_US}\b(?: about| for| contain| cover| hold)?{_END}",
            rf"\b(?:what|which|how many) (?:\w+ )?(?:\w+ of )?{_HOLDINGS} (?:do|does|can|are|have|is) (?:you|i|we|there|this|it|in (?:here|there))(?: (?:have|hold|cover|know|ask|contain|got|search|read|answer|indexed|available|got|in))*(?: (?:here|in here|there|this collection|the collection|about))?{_END}",
            rf"\b(?:list|show)(?: me)? (?:\w+ )?{_HOLDINGS} (?:that )?(?:you|this collection|it) (?:cover|have|hold|know|contain)s?{_END}",
            rf"\bhow (?:big|large|recent|old) (?:is|are) (?:this|the|your|these) (?:{_US}|papers|abstracts){_END}",
            rf"\bwhere do (?:the|these|your) (?:papers|answers|abstracts|sources|quotes) come from\b",
            r"\bcan you (?:please )?help(?: me)?(?: out)?[\s?!.]*$|\bdo you (?:speak|understand|know) \w+[\s?!.]*$",
            r"\bcan you (?:read|see|access|open) (?:\w+ ){0,2}(?:papers|abstracts|pdfs?|articles)\b",
            r"\bdid (?:a|any) (?:human|person|ai|model) write\b",
            r"^how are you(?: doing)?(?: today)?[?!.\s]*$",
            r"^(?:help|help me|usage|examples?|instructions?|start|menu|what now|how to use(?: this)?)[?!.\s]*$",
            r"\bhelp me get started\b|\b(?:give|show) me (?:an |some )?(?:sample |example )?(?:examples?|questions?)(?: questions?| of (?:questions?|something|things))?(?: to ask| i can ask)?[?!.\s]*$",
            rf"\btell me about (?:yourself|this {_US}|the {_US}){_END}",
        )
    ),
    re.IGNORECASE,
)
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_DRAWN_OUT = re.compile(r"(.)\1{2,}")
_MOST_WORDS_ABOUT_US = 16
_FOLLOWS_UP = re.compile(
    r"\b(?:it|its|it's|they|them|their|theirs|that|those|this|these|he|she|one|ones|former|latter"
    r"|both|same|other|another|else|the (?:paper|authors?|model|method|system|approach|work|first|second"
    r"|last))\b|^(?:and|but|so|also|what about|how about|why|how so|really)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Route:
    """The shape an answer takes, and why."""

    shape: Shape
    reason: str


def route(question: str) -> Route:
    """Decide the shape of the answer to *question*.

    Small talk and questions about PaperChat itself are `chat`; a greeting in front of a real
    question is not. Everything else is looked up.
    """
    text = squeeze(fold(question))
    words = _WORD.findall(_DRAWN_OUT.sub(r"\1", text.lower()))
    if words and _SMALL_TALK.issuperset(words) and not _SOCIAL.isdisjoint(words):
        return Route("chat", "small talk")
    rest = _OPENING.sub("", text)
    short = len(rest.split()) <= _MOST_WORDS_ABOUT_US
    if short and _ABOUT_US.search(rest) and not marked_names(rest.replace("PaperChat", "")):
        return Route("chat", "about the collection or this tool")
    return Route("answer", "a question to look up")


def standalone(question: str, conversation: Sequence[Answer]) -> str:
    """*question* with what it refers to: a follow-up carries the paper last answered from.

    A question that names nothing of its own and points back ("and how big is it?") is read with
    the title of the last answer's first source. Any other stays as it is.
    """
    past = [answer for answer in conversation if answer.sources and not answer.abstained]
    if not past or not _points_back(question):
        return question
    title = past[-1].sources[0].title
    head = title.split(":")[0] if 0 < len(title.split(":")[0].split()) <= 5 and ":" in title else title
    return f"{question.strip()} ({head})"


def _points_back(question: str) -> bool:
    text = squeeze(fold(question))
    if marked_names(text):
        return False
    return bool(_FOLLOWS_UP.search(text)) or len(content_words(text)) <= 2

