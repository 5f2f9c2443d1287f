"""What in a question points back at its conversation: read from its words alone. Pure rules.

Every function takes a question as `rag.text.fold` and `squeeze` leave it, so that no pattern needs
an accent. English is read fully; of German, Spanish, French, Italian, Portuguese and Chinese the
words with which a question goes on or stands on its own.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rag.names import marked_names
from rag.words import STOPWORDS, compounds, content_words, stem

MOST_CHARACTERS = 500  # what is longer explains itself

COMPARATIVE = (
    r"(?:(?:fast|slow|bigg|small|larg|cheap|high|low|strong|weak|great|long|short|new|old|deep|wide"
    r"|light|heavi|smart|quick|simpl|young|hard|easi|clos|dear)er|better|worse|more|less|fewer)"
)

# --- How a question begins ------------------------------------------------------------------------

_SAID_FIRST = (
    r"(?:oh|ah|aha|hm+|uh|um+|ok(?:ay)?|alright|right|well|thanks?(?: a lot| you)?|thank you|thx|ty"
    r"|great|nice|cool|good|perfect|fine|yes|yeah|sure|wow|interesting|i see|got it|hi|hey|hello"
    r"|please|btw|by the way|(?:just )?(?:one|another) (?:more |last )?(?:question|thing)"
    r"|(?:sorry\b[^.,:;?]{0,40}[.,:;] ?)?(?:(?:back to|now|let's do|in) )*"
    r"(?:english|german|french|spanish)(?: please| now| again)?(?=[.,:;])|anyway"
    r"|danke|gracias|merci|ach|vale|bueno|bon|genau|gut)"
)
_INTERJECTIONS = re.compile(rf"^\W*(?:{_SAID_FIRST}\b[\s,.!;:-]*)+", re.IGNORECASE)
_OPENERS = re.compile(
    r"^\W*(?:(?:and|but|so|also|then|plus|or|und|aber|also|oder|dann|et|mais|alors|donc|y|pero"
    r"|entonces|ed?|mas|ma|那么?|而且?|还有)(?![\w'-])[\s,]*)*"
    r"(?:(?:what|how)(?:'s| is)? about(?: with| on| for)?|same (?:question |thing )?(?:for|with|on)"
    r"|(?:ditto|likewise) (?:for|with|on)?|wie (?:ist|sieht|steht) es (?:mit|bei"
    r"|um)(?: [dm]e[mnr])?"
    r"|was ist mit|que tal|qu'en est-il (?:de|du|pour)|y que hay de)?(?!\w)\s*",
    re.IGNORECASE,
)

# --- What stands for something said before --------------------------------------------------------

_ENGLISH = re.compile(
    r"\b(?:the|what|which|how|does|did|is|are|of|and|who|why|they|it|with|for)\b", re.IGNORECASE
)
_PRONOUN = re.compile(
    r"\b(?:it|its|it's|they|they're|them|their|theirs)\b|(?<!\w)'?em\b"
    r"|(?:什么|多少|哪些|怎么)?(?:它|他们|她们|这个|那个|这篇|那篇|作者|其(?!他|它|余))",
    re.IGNORECASE,
)
_FOREIGN_PRONOUN = re.compile(
    r"\b(?:es|sie|ihre?[rnms]?|dessen|deren|davon|damit|dafur|darauf|dabei|daran|dazu|darin"
    r"|(?<=hat )(?:der|die|das)(?=\s*[?,])"
    r"|(?<=en )die(?= (?:dann|da|darin|das|den|dem|es|auf|so|eigentlich|denn|dort|hier|noch|auch"
    r"|dafur|dabei|damit)\b|\s*[?,])"
    r"|dies(?:e[rsnm]?)?|das(?! \w+e[nrs]? [A-Z])(?! [A-Z])"
    r"|eso|esto|ello|ellos|ellas|sus?|este|esta|ese|esa|lo(?= \w+(?:ron|o|an|en)\b)"
    r"|elles?|ils?(?! y a)|ca|cela|leurs?|ses|sa|ce(?:t|tte)?(?! que\b)"
    r"|d(?:ie|er|en) autor(?:en)?|los autores|l'auteur|les auteurs"
    r"|das (?:paper|modell|system|verfahren)|die (?:arbeit|methode|studie)"
    r"|el (?:modelo|articulo|metodo|sistema)|le (?:modele|papier|systeme)|la methode"
    r"|isso|isto|seus?|suas?|eles?|elas?|questo|quello|suoi?|sue|loro)\b",
    re.IGNORECASE,
)
_FOREIGN_FRESH = re.compile(
    r"^\W*(?:und |aber |et |mais |y |pero |那么?)?(?:gibt es|existe|hay|il y a|y a-t-il|c'e\b"
    r"|ci sono|welche[rns]? (?:arbeit|paper|artikel|studie|aufs)|que (?:articulos?|trabajos?"
    r"|papers?|es\b)|que(?:ls?|lles?)? (?:articles?|papiers?|travaux|etudes?)"
    r"|was (?:ist|sind) (?!d[aeu]|es\b)|qu'est-ce qu|c'est quoi|wer\b|什么是|有没有|有哪"
    r"|哪[些篇](?:论文|文章|工作))",
    re.IGNORECASE,
)
_EXPLETIVE = re.compile(
    r"\b(?:is|was|would|will|can|could) it (?:be )?(?:\w+ ){1,2}(?:to|that|for)\b"
    r"|\b(?:does|did|would|will) it (?:matter|mean|take|make sense|help|pay|hurt)\b",
    re.IGNORECASE,
)
_THING = (
    r"(?:one|ones|papers?|study|studies|works?|authors?|models?|methods?|approach|systems?"
    r"|technique|framework|data ?sets?|benchmark|idea|results?|tool|problem|number|figure|score"
    r"|claim|people|former|latter|other)(?! (?:that|which|who|to|about|where)\b)"
)
_POINTS = re.compile(
    rf"\b(?:this|that|these|those|the|the same|the other) {_THING}\b"
    r"|\b(?:this|that|these|those)(?= *(?:[?!.,;]|$))"
    r"|\b(?:is|was|are|were|does|do|did|has|had|have|can|could|will|would|how|why|of|about|than"
    r"|with|from|reproduce|use|run) (?:this|that|these|those)\b"
    r"|\b(?:what|anything|something|where) else\b|\bthe (?:former|latter)\b|\bboth of\b"
    r"|^(?:tell|give|explain|show|say) (?:me |us )?(?:a (?:bit|little) )?more\b|^more (?:details"
    r"|info)"
    r"|^(?:go on|elaborate|continue|for (?:example|instance)|such as)\W*$",
    re.IGNORECASE,
)
_FRESH = re.compile(
    r"^\W*(?:and |so |but |also |then )?(?:(?:what|who)(?:'s| is| are) (?!the\b|your\b|new\b)"
    r"|define\b|papers? (?:on|about)\b|(?:is|are) there\b|(?:which|what) papers?\b"
    r"|(?:any|some)(?:thing| papers?)?\b|(?:who|anyone|anybody) else\b|(?:an|which) ?other\b)",
    re.IGNORECASE,
)
_OF_ANYONE = re.compile(  # asked of the world at large: "how can one …", "is it possible to …"
    r"^\W*(?:and |so |but )?(?:how (?:can|could|do|does|would|should) (?:one|you|i|we|people"
    r"|anyone)\b"
    r"|(?:is|was|does|would|will|can) it (?:make sense |be )?(?:\w+ ){0,2}to\b|what does it mean\b"
    r"|(?:what|which|who)(?:'s| is| are| was| were) the \w+ (?:that|which|who|to|about|where)\b)",
    re.IGNORECASE,
)
_NOT_ITS_OWN = re.compile(
    r"^\W*(?:and |so |but |also )?(?:is|are) there\b|^\W*(?:and |so )?any\b", re.I
)

# Written like names, and names of nothing that a paper could introduce.
COMMON = frozenset(
    """
    gpu gpus cpu cpus tpu tpus llm llms lm lms ai ml nlp rl api apis rag ram vram sft f1 mfu flops
    """.split()
)
# What can be asked of any paper: a question of these words alone says nothing of which one.
_OF_ANY_PAPER = frozenset(
    stem(word)
    for word in """
    cost costs price money budget dollars cheap expensive speed speedup fast faster slow slower time
    times long latency throughput accuracy accurate score scores performance perform result results
    number amount size sizes big large small bigger larger smaller parameter parameters params count
    data dataset datasets set training train trained test tested testing evaluate evaluated
    evaluation experiment experiments benchmark benchmarks task tasks metric metrics baseline
    baselines compare compared comparison model models system systems architecture design algorithm
    code open source available release released public github demo license weights team company lab
    university group year date venue published limitation limitations limit weakness weaknesses
    drawback drawbacks catch downside disadvantage advantage advantages gain gains improvement
    improvements improve improved better best worse worst contribution contributions finding
    findings conclusion conclusions goal purpose language languages domain domains hardware machine
    device memory token tokens sample samples example examples percent percentage share rate average
    total max maximum min minimum detail details more further summary summarize summarise explain
    future scale scaled today version versions people person folks somebody similar different
    difference run ran runs work stuff bit word words anywhere somewhere everywhere already still
    gpu gpus tpu tpus cpu cpus chip chips hour hours day days week weeks month months minutes
    deploy deployed production applied apply practice industry
    """.split()
)
# Function words of other languages, which `rag.words` counts as content.
_FOREIGN_WORDS = frozenset(
    """
    und oder aber auch wie viel viele vielen welche welcher welches wer wo wann warum wurde wird
    werden ist sind war hat haben kann der die das den dem des ein eine einen einem einer auf mit
    bei fur von zu zum zur im als noch nur nicht man es sie er sich denn dort da
    el la los las un una unos unas y o de del al en con por para que cual cuales cuanto cuantos
    cuanta cuantas como donde cuando quien es son fue fueron han ha se lo su sus mas muy sobre tiene
    le les des du et ou est sont ont avec pour par sur dans combien comment quel quelle quels
    quelles qui quoi ils elle elles il ne pas plus ce cette ces l'ont d'un d'une au aux
    uma dos das nos nas ao qual quais quanto quantos quantas onde quem sao foi foram
    tem nao mais dentro pelo pela seu sua este esta esse essa isso
    gli che della delle dei nel nella quale quali quanti quante dove chi sono hanno non piu questo
    """.split()
)


def without_interjections(text: str) -> str:
    """*text* without what is only said: "thx. and how big is it" leaves "and how big is it"."""
    return _INTERJECTIONS.sub("", text, count=1) or text


def without_opener(text: str) -> tuple[str, bool]:
    """*text* without "oh and", "what about" and the like, and whether it begins so."""
    rest = without_interjections(text)
    found = _OPENERS.match(rest)
    opener = found[0].strip(" \t,.!?¿¡-") if found else ""
    return (rest[found.end() :], True) if found and opener else (rest, False)


def subject_words(text: str) -> set[str]:
    """The stems of *text* that say what it is about, none of which could be asked of any paper.

    >>> sorted(subject_words("and which languages were the experiments on?"))
    []
    >>> sorted(subject_words("how many devs turned it off?"))
    ['dev', 'turn']
    """
    words = (word.lower() for word in compounds(text))
    return {
        stem(word)
        for word in words
        if word not in STOPWORDS
        and word not in _FOREIGN_WORDS
        and not word.endswith("n't")
        and stem(word) not in _OF_ANY_PAPER
    }


def is_foreign(text: str) -> bool:
    """Whether *text* is plainly not English: another script, or small words of another language."""
    if any(char.isalpha() and ord(char) > 0x24F for char in text):
        return True
    words = [word.lower() for word in compounds(text)]
    small = sum(word in _FOREIGN_WORDS for word in words)
    return not _ENGLISH.search(text) and small > max(0, len(words) // 4)


def may_name(word: str) -> bool:
    """Whether *word*, as written, can be the name of something a paper introduces."""
    return word.lower() not in COMMON and word not in _FOREIGN_WORDS


def names_of_its_own(text: str) -> list[str]:
    """The words of *text* written as names that a paper could introduce."""
    return [name for name in marked_names(text) if may_name(name)]


# --- Whether a question points back ---------------------------------------------------------------

_OTHERS = re.compile(
    r"\b(?:other|others|similar|related|further|more) (?:papers?|works?|studies|people|groups?"
    r"|teams?)\b|\b(?:any|some|no|every)(?:one|body|thing) (?:else|similar)\b|\bwho else\b"
    r"|\b(?:any )?others\b"
    r"|\bsomething (?:similar|like (?:this|that|it))\b|\bmore like (?:this|that|it|these)\b"
    r"|\b(?:noch jemand|wer noch|sonst (?:noch )?jemand|andere (?:paper|arbeiten)|noch (?:andere"
    r"|mehr)"
    r"|alguien mas|quien mas|otros (?:articulos|trabajos|papers)|d'autres|qui d'autre|quelqu'un"
    r" d'autre|autres (?:articles|travaux))\b|还有(?:谁|别的|其他)|其他(?:论文|文章|工作)|别的论文",
    re.IGNORECASE,
)
FEW_WORDS = 3  # about a subject: with more of them a question says itself what it is about
_FEW_BEFORE = 2  # words of content before a pronoun: with more of them, it refers to one of them
_FEW_IN_ALL = 4
_SURELY = 6  # words of content: a longer question may well be another one
_PERSON = re.compile(r"\b(?:(?:some|any|every|no)(?:one|body)|people|person|users?|who)\b", re.I)


@dataclass(frozen=True, slots=True)
class Cue:
    """What in a question points back, and how surely."""

    what: str  # empty if nothing does
    sure: bool = False


def cue(text: str, elsewhere: int | None = None) -> Cue:
    """How *text* points back at what was said before.

    *elsewhere* is the place of the first name in *text* that leads away from it: only what comes
    before that can point back.

    >>> cue("and how big is it?").what, cue("what is quantization?").what
    ('it', '')
    """
    words = subject_words(text)
    pronoun = _pronoun(text[:elsewhere])
    if pronoun and _has_no_antecedent(text, pronoun):
        return Cue(pronoun[0], sure=len(content_words(text)) <= _SURELY or is_foreign(text))
    if elsewhere is not None or not compounds(text) or (wants_others(text) and words):
        return Cue("")
    rest, opened = without_opener(text)
    pointing = _POINTS.search(rest)
    if pointing and len(words) <= _SURELY:
        return Cue(pointing[0], sure=len(words) <= FEW_WORDS and not names_of_its_own(text))
    if _starts_anew(text, words) or len(words) > _SURELY:
        return Cue("")
    if opened:
        return Cue(text[: len(text) - len(rest)].strip(), sure=not words)
    counted = words if is_foreign(text) else content_words(text)
    return Cue("few words", sure=not words) if not words or len(counted) <= FEW_WORDS else Cue("")


def _pronoun(text: str) -> re.Match[str] | None:
    every = list(_PRONOUN.finditer(_EXPLETIVE.sub("", text)))
    # "which GPUs do they serve it on": "they" may be the GPUs, "it" is not
    found = next((one for one in every if _has_no_antecedent(text, one)), next(iter(every), None))
    if found or _ENGLISH.search(text):
        return found
    return None if _FOREIGN_FRESH.search(text) else _FOREIGN_PRONOUN.search(text)


def _has_no_antecedent(text: str, pronoun: re.Match[str]) -> bool:
    """Whether nothing before *pronoun* in its own question can be what it stands for."""
    before = pronoun.string[: pronoun.start()]
    counted = subject_words if is_foreign(text) else content_words
    said = len(counted(before))
    if pronoun[0].lower().startswith("the"):  # they, them, their: someone, or the plural before
        plural = any(word.endswith("s") and subject_words(word) for word in compounds(before))
        if plural or _PERSON.search(before):
            return False
    return said <= _FEW_BEFORE or (said <= _FEW_BEFORE + 1 and len(counted(text)) <= _FEW_IN_ALL)


def _starts_anew(text: str, words: set[str]) -> bool:
    """Whether *text* asks what something is or whether there is something, naming it."""
    rest = without_interjections(text)
    if _FOREIGN_FRESH.search(rest) or _OF_ANYONE.search(rest):
        return True
    if _NOT_ITS_OWN.match(rest) and not words:
        return False
    return bool(_FRESH.search(rest))


_ASKS = re.compile(
    r"(?<![\w.])(?:what|which|who|whose|how|why|when|where|is|are|was|were|does|do|did|has|have|had|can"
    r"|could|will|would|should|compare|list|show|tell|give|find|explain|describe|summari[sz]e|name"
    r"|wie|was|welche[rsnm]?|wer|wo|wann|warum|wurde|wird|ist|sind|hat|haben|que|cual(?:es)?"
    r"|cuant[oa]s?|como|donde|cuando|quien|es|son|tiene|quels?|quelles?|combien|comment|pourquoi|ou"
    r"|est|sont|ont)\b|多少|什么|怎么|如何|哪|吗|几",
    re.IGNORECASE,
)


def has_predicate(text: str) -> bool:
    """Whether *text* has a question word, or a verb that asks or is asked about."""
    return bool(_ASKS.search(text))


def told(text: str) -> list[str]:
    """The words of *text* that are no function words, as written."""
    small = STOPWORDS | _FOREIGN_WORDS
    return [word for word in compounds(text) if word.lower() not in small]


def wants_others(text: str) -> bool:
    """Whether *text* asks for papers or people other than those that were shown."""
    return bool(_OTHERS.search(text))
