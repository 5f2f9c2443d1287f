"""Criteria read from a question: which papers are wanted, and by what they are chosen."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Literal

from rag.listing.antecedents import resolved
from rag.listing.asking import ASK
from rag.listing.bag import bag_criteria, is_junk
from rag.listing.clauses import clauses
from rag.listing.criteria import Clause, Criteria, Criterion, IsKind, Topic, Words
from rag.listing.formulas import plain_formulas
from rag.listing.frames import pieces, unframed
from rag.listing.joints import AND, BRACKETS, OR, QUOTED
from rag.listing.kinds import KINDS, kind_asked
from rag.listing.mentions import form_of
from rag.listing.normal import normalised, ruled_out_names, without_preamble
from rag.listing.plural import asks_for_list, is_english
from rag.listing.predicates import EMPTY, VERB
from rag.listing.terms import words_of
from rag.listing.wording import either
from rag.text import fold, squeeze
from rag.words import STOPWORDS


def read_criteria(question: str) -> Criteria | None:
    """The criteria of *question*, folded and focused; None where nothing is asked for.

    >>> [clause.any_of[0].alternatives for clause in
    ...  read_criteria("which papers mention T5 or BERT, and GPT-3?").clauses]
    [(('T5',), ('BERT',)), (('GPT-3',),)]
    >>> read_criteria("how many surveys are there?").clauses[0].any_of
    (IsKind(kind='survey', where='any'),)
    """
    text = _plainly(question)
    main, remarks = pieces(text)
    main = _first_asked(main)
    found = tuple(clauses(unframed(main), main)) if is_english(text) else _foreign(text)
    found = _telling(tuple(clause for clause in found if clause.any_of))
    if found and is_english(text) and is_junk(Criteria(found)):
        bag = bag_criteria(unframed(main))
        found = bag.clauses if bag else found
    for remark in remarks:
        found = _remarked(found, remark)
    return Criteria(found) if found else None


def _telling(found: tuple[Clause, ...]) -> tuple[Clause, ...]:
    """*found* without topics that any paper has, "models pre-trained", beside something else."""
    said = tuple(clause for clause in found if clause.negated or not _is_empty(clause))
    return said if any(not clause.negated for clause in said) else found


def _is_empty(clause: Clause) -> bool:
    return all(
        isinstance(one, Topic)
        and all(word.lower() in EMPTY | STOPWORDS | ASK for word in words_of(one.text))
        for one in clause.any_of
    )


def _plainly(question: str) -> str:
    """*question* as its clauses are read, in whatever order and brackets people put it."""
    return normalised(resolved(without_preamble(plain_formulas(squeeze(question)))))


def read_loosely(question: str) -> Criteria | None:
    """What *question* names, whatever its grammar; None where it names nothing.

    >>> [c.any_of[0].text for c in read_loosely("anybody keen on pruning?").clauses]
    ['keen on pruning']
    """
    text = _plainly(question)
    if not is_english(text):
        names, _ = _foreign_names(text)
        plain = " ".join(names)
        said = (plain, _COGNATE.sub("tion", plain))
        topic = Topic(said[-1], tuple(dict.fromkeys(said)))
        return Criteria((Clause((topic,)),)) if plain else None
    main, _ = pieces(text)
    return bag_criteria(unframed(_first_asked(main)))


def without_criterion(question: str) -> Literal["all", "unnamed", ""]:
    """Whether *question* wants all papers, or some without saying which; "" if it says more.

    >>> [without_criterion(q) for q in ("list all papers", "which papers mention ?", "on MoE")]
    ['all', 'unnamed', '']
    """
    text = plain_formulas(squeeze(question))
    if not is_english(text):
        said = _OTHER_SCRIPTS.search(text) or QUOTED.search(text) or _foreign_names(text)[0]
        return "" if said else "all"
    rest = unframed(pieces(text)[0])
    verb = VERB.match(rest)
    if not _NAMES_NOTHING.fullmatch(rest[verb.end() :] if verb else rest):
        return ""
    return "all" if _ALL.search(text) and not verb else "unnamed"


_NAMES_NOTHING = re.compile(
    rf"\W*(?:{either('the an? it this that them these those none nothing nobody any or and of by')}"
    rf"\b\W*|{either('titles? alphabetically order(?:ed)? sorted in_total')}\b\W*)*",
    re.IGNORECASE,
)
_ALL = re.compile(
    r"\b(?:all|every|each|how many|list|count|number of|show|give|enumerate|name)\b", re.IGNORECASE
)


_ANOTHER_QUESTION = re.compile(
    r"[,;]?\s+and (?:then |also )?(?:which (?:one|paper|study|work|of (?:them|these|those|which))\b"
    r"|(?:what|who|how|when|where|why) (?:is|are|was|were|do|does|did|can|should|would)\b"
    r"|what (?:they|it|each)\b|how many\b(?! are there))"
    r"(?! (?:there|they)\b\W*$).*$",
    re.IGNORECASE,
)


def _first_asked(text: str) -> str:
    """*text* without the question that follows on the list: "…, and which one is the largest?"."""
    first = _ANOTHER_QUESTION.sub("", text)
    return first if asks_for_list(first) and unframed(first) else text


# --- remarks -------------------------------------------------------------------------------------

NOT = re.compile(r"n't\b|\bnot\b", re.IGNORECASE)
_COUNTS_NOT = re.compile(
    r"(?P<what>.+?),? (?:(?:do|does)(?:n't| not) count|is (?:a )?(?:different|another)\b.*"
    r"|are (?:different|other)\b.*|(?:is|are) not (?:meant|the same|it|what i mean)\b.*"
    r"|(?:is|are) out|not meant)",
    re.IGNORECASE,
)
_NOT_THIS = re.compile(
    r"^\W*(?:careful|note|mind|beware|and|but|please)*[\s,:]*(?:not(?: the)?|no|excluding"
    r"|ignor(?:e|ing)|without|except(?: for)?|leave out|skip|i don'?t mean"
    r"|don'?t (?:count|mean|include))\s+(?P<what>.+)$",
    re.IGNORECASE,
)
_WARNS = re.compile(r"^\W*(?:careful|note|mind|beware|and|but)[\s,:]+", re.IGNORECASE)
_MOST_WORDS_RULED_OUT = 4  # more of them explain, and rule nothing out by name


_IS_ENOUGH = re.compile(
    r"\b(?:(?:word|term|name|phrase|acronym|mention)s?(?: of)? |just |only )(?P<what>[^,;]{2,40}?)"
    r" (?:alone )?(?:(?:is|are|would be) (?:enough|fine|ok(?:ay)?|sufficient)|will do|suffices?"
    r"|counts?)\b",
    re.IGNORECASE,
)


def _loosened(found: tuple[Clause, ...], name: str) -> tuple[Clause, ...]:
    """*found* with *name* as one more of the words of which one must stand."""
    wanted = Words(((name,),))
    return tuple(
        replace(clause, any_of=(wanted, *clause.any_of))
        if not clause.negated and any(isinstance(one, Words) for one in clause.any_of)
        else clause
        for clause in found
    )


def _remarked(found: tuple[Clause, ...], remark: str) -> tuple[Clause, ...]:
    """*found* with what a remark rules out: longer names are masked, kinds are negated."""
    if (enough := _IS_ENOUGH.search(remark)) and not NOT.search(remark):
        return _loosened(found, form_of(enough["what"]))
    ruled_out = _COUNTS_NOT.search(remark) or _NOT_THIS.search(remark)
    said = ruled_out_names(remark) or (ruled_out["what"] if ruled_out else "")
    if not said:
        return found
    what = _WARNS.sub("", said)
    kind = kind_asked(what)
    if kind and len(what.split()) <= _MOST_WORDS_RULED_OUT:
        return (*found, Clause((IsKind(kind[0].name),), negated=True))
    names = [form for part in AND.split(what) for form in map(form_of, OR.split(part)) if form]
    masks = tuple(name for name in names if len(name.split()) <= _MOST_WORDS_RULED_OUT)
    return tuple(
        replace(clause, any_of=tuple(_masked(one, masks) for one in clause.any_of))
        for clause in found
    )


def _masked(criterion: Criterion, masks: tuple[str, ...]) -> Criterion:
    return replace(criterion, masks=masks) if isinstance(criterion, Words) else criterion


# --- other languages -----------------------------------------------------------------------------

# What asks for papers in other languages, without accents: names and English terms are left over.
_FOREIGN = frozenset(
    """
    bitte alle welche welcher welchen wie viele wieviele liste auflisten aufzahlen nenne zeige mir
    gib es gibt die der das den dem des deren dessen in im uber zu von mit und oder auch paper
    papers arbeiten artikel abstract abstracts studien aufsatze veroffentlichungen publikationen
    zusammenfassung zusammenfassungen beitrage erwahnen erwahnt erwahnung nennen nennt verwenden
    verwendet benutzen benutzt nutzen nutzt behandeln behandelt thema geht um gehen auf testen
    evaluieren evaluiert werden wird sind ist haben hat sich sprechen spricht handeln handelt zum
    beim version egal sammlung hier ein eine einen einem

    kommt kommen vor mostra-me mostra mostrar muestra muestrame mostrame me mir auf montre moi
    portent porte traitant travaillent concernent concerne falam fala acerca rund ueber drehen dreht
    befassen befasst beschaftigen beschaftigt leurs resume resumen zusammenfassung abstrakt
    kurzfassung quiero necesito busco cherche
    je voudrais brauche suche ich aussi sowie erwahnung worin denen vorkommt vorkommen aparece
    aparecen figurent apparait apparaissent hay donde ou se contienen contiennent enthalten
    que cuales cuantos cuantas cuanto todos todas los las el la lo un una unos unas lista enumera
    dame articulos articulo resumenes resumen trabajos estudios publicaciones mencionan menciona
    nombran nombra citan usan usa utilizan utiliza tratan trata hablan habla sobre de del en con por
    para y e o u tanto como ambos se hay hacen hace proponen evaluan son tienen su sus

    quels quelles quel quelle combien tous toutes les le du d l une dans avec sur et ou aussi
    articles papiers resumes travaux etudes mentionnent mentionne citent utilisent utilise parlent
    parle traitent traite evoquent nomment qui dont leur leurs est sont a t il fois lesquels
    emploient evaluent

    quali quanti quante tutti tutte gli i articoli lavori studi pubblicazioni riassunti menzionano
    citano usano utilizzano parlano trattano di della che sia anche nominano

    quais quantos quantas os as um uma artigos resumos trabalhos estudos mencionam citam usam
    utilizam falam tratam em no na do da dos das tambem qual

    welke hoeveel artikelen publicaties samenvattingen noemen vermelden gebruiken gaan over een het
    van met en of ook ktore ile wszystkie prace prac artykuly wspominaja uzywaja w lub oraz hangi
    kac tum makaleler makale bahsediyor kullaniyor ve veya
    """.split()
)
_COGNATE = re.compile(r"(?:cao|coes|ciones|cion|zione|zioni)\b")  # quantização: quantization
_EITHER_SIGNS = re.compile(
    r"(?<=[A-Za-z\d)]) ?(?:か|または|或者?|还是|또는|или|أو|या) ?(?=[A-Za-z\d(])"
)
_FOREIGN_OR = frozenset("oder o ou u of lub veya".split())
_OTHER_SCRIPTS = re.compile(
    r"[\u0400-\u04ff\u0600-\u06ff\u0900-\u097f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]+"
)
_ELISION = re.compile(r"\b(?:d|l|qu|n|s)'(?=\w)")
_GLOSSES = {
    "survey": r"ubersichtsarbeit\w*|uberblicksarbeit\w*|literaturubersicht\w*|encuestas?"
    r"|revisiones?|revision bibliografica|etats? de l'art|revues? de litterature|rassegn[ae]"
    r"|levantamentos?|revisoes|обзор\w*|综述|サーベイ",
    "thesis": r"dissertation(?:en)?|doktorarbeit\w*|tesis|tesi|theses?|диссертаци\w*|学位论文",
}


def _foreign(text: str) -> tuple[Clause, ...]:
    """The names, quotations, kinds and English terms in a question of another language.

    >>> [clause.any_of[0].alternatives for clause in _foreign("Alle Paper, die T5 und C4 nennen")]
    [(('T5',),), (('C4',),)]
    """
    quoted = tuple((double or single,) for double, single in QUOTED.findall(text))
    if quoted:
        return (Clause((Words(quoted, exact=True),)),)
    kind = next((kind for kind in KINDS if kind.asked.search(_glossed(text))), None)
    names, either = _foreign_names(text)
    if kind:
        names = [name for name in names if not kind.asked.search(_glossed(name))]
    groups = [names] if either else [[name] for name in names]
    said = [Clause((Words(tuple((name,) for name in group)),)) for group in groups if group]
    return (*([Clause((IsKind(kind.name),))] if kind else []), *said)


def _foreign_names(text: str) -> tuple[list[str], bool]:
    """Runs of words that are no part of the asking, and whether "or" joins them."""
    plain = _OTHER_SCRIPTS.sub(" | ", BRACKETS.sub(" ", _ELISION.sub("", text)))
    runs: list[list[str]] = [[]]
    either = bool(_EITHER_SIGNS.search(text))
    for word in (raw.strip(",.;:?!¿¡()\"'") for raw in plain.split()):
        lower = fold(word).lower()
        if word and word != "|" and lower not in _FOREIGN:
            runs[-1].append(word)
            continue
        either = either or (lower in _FOREIGN_OR and bool(runs[-1]))
        runs.append([])
    return [" ".join(run) for run in runs if run], either


def _glossed(text: str) -> str:
    for word, pattern in _GLOSSES.items():
        text = re.sub(pattern, f" {word} ", text, flags=re.IGNORECASE)
    return text
