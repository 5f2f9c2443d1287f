"""Which shape an answer takes, by rules that can be read, and what a follow-up refers to."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from rag.names import marked_names
from rag.text import fold, squeeze
from rag.types import Answer, Shape
from rag.words import content_words

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
# A message made of these words alone is small talk, in whatever order they come; without accents,
# as `fold` leaves them.
_SMALL_TALK = frozenset(
    """
    hi hii hiya hello helo hey heya yo howdy greetings good morning afternoon evening day night
    hallo guten tag morgen abend bonjour bonsoir salut hola buenos buenas buen dias tardes noches
    ciao buongiorno ola oi namaste merhaba hej moin servus que tal ca va wie geht's gehts
    привет здравствуйте 你好 您好 こんにちは 안녕하세요 नमस त مرحبا 谢谢 ありがとう спасибо
    thanks thank tanks thx thanx ty cheers merci beaucoup danke schon gracias muchas obrigado
    obrigada grazie bye goodbye see ya later tschuss au revoir bientot a adios
    ok okay k cool great nice awesome perfect wonderful excellent wow lol haha done got it i you u
    ur your very much so lot lots well job bot work again there all everyone everybody anybody
    anyone team friend mate buddy paperchat assistant helpful help helped is was are am that that's
    this these those just what i needed wanted for the answer answers time and my name have has had
    an to tomorrow soon now then how are doing today going what's whats up sup meet welcome home
    here sorry oops wrong window nevermind never mind me please yes no yep nope sure right fine not
    bad at good be been in of on with it's its really too pretty amazing love
    """.split()
)
# … but only if one of these is among them: "what is this" is made of small words too.
_SOCIAL = frozenset(
    """
    hi hii hiya hello helo hey heya yo howdy greetings morning afternoon evening hallo guten bonjour
    bonsoir salut hola buenos buenas ciao buongiorno ola oi namaste merhaba hej moin servus привет
    здравствуйте 你好 您好 こんにちは 안녕하세요 नमस مرحبا 谢谢 ありがとう спасибо
    thanks thank tanks thx thanx ty cheers merci danke gracias obrigado obrigada grazie bye goodbye
    later tschuss revoir bientot adios ok okay k cool great nice awesome perfect wonderful excellent
    wow lol haha sorry oops welcome helpful amazing nevermind night job
    """.split()
)
_OPENING = re.compile(
    r"^(?:(?:hi+|hello|hey+|hallo|hola|bonjour|good (?:morning|afternoon|evening)|thanks?|thank you"
    r"|thx|ok(?:ay)?|great|cool|nice|perfect|again|there|so much|a lot|very much|all|everyone"
    r"|paperchat|please)\b[\s,.!;:-]*)+",
    re.IGNORECASE,
)
_END = (
    r"(?:\s+(?:here|for me|with|about|in here|in this collection|then|exactly|to you|of you|now)"
    r")*[\s?!.]*$"
)
_HOLDINGS = r"(?:papers?|abstracts?|documents?|articles?|topics?|subjects?|areas?|questions?)"
_US = (
    r"(?:collection|corpus|library|database|archive|tool|site|page|app|thing|chat|assistant|bot|"
    r"paperchat)"
)
_ABOUT_US = re.compile(
    "|".join(
        (
            r"\bw(?:hat|aht) (?:else |\w+ of things )?(?:can|could|do|may) (?:you|i|we)"
            rf" (?:actually |even )?(?:do|ask|help|offer|answer)(?: (?:me|you))?{_END}",
            rf"\bwhat should i ask(?: you)?{_END}",
            r"\bwho (?:are|r) (?:you|u)\b|\bwho am i (?:talking|speaking|chatting)",
            rf"\bwhat are you(?: capable of| good at| able to do)?{_END}",
            r"\bare you (?:a |an )?(?:bot|ai|human|real|person|chatgpt|robot|language model|"
            r"llm|chatbot)\b",
            r"\bhow (?:do|does|can|should) (?:i|you|we|this|it|one)(?: \w+)? ?(?:use|work|"
            rf"get started|start)(?: (?:this|you|it))?(?: {_US})?{_END}",
            r"\bhow do you (?:find|get|choose|pick|know|make|come up with|produce|check)"
            r" (?:\w+ )?(?:answers?|sources?|quotes?|citations?|evidence|sentences?)\b",
            rf"\bwhat(?:'s| is| are)? (?:\w+ ){{0,3}}(?:in )?(?:this|the|your)"
            rf" {_US}\b(?: about| for| contain| cover| hold)?{_END}",
            rf"\b(?:what|which|how many) (?:\w+ )?(?:\w+ of )?{_HOLDINGS} (?:do|does|can|"
            r"are|have|is) (?:you|i|we|there|this|it|in (?:here|there))(?: (?:have|hold|"
            r"cover|know|ask|contain|got|search|read|answer|indexed|available|got|in)"
            rf")*(?: (?:here|in here|there|this collection|the collection|about))?{_END}",
            rf"\b(?:list|show)(?: me)? (?:\w+ )?{_HOLDINGS} (?:that )?(?:you|"
            rf"this collection|it) (?:cover|have|hold|know|contain)s?{_END}",
            rf"\bhow (?:big|large|recent|old) (?:is|are) (?:this|the|your|these) (?:{_US}|"
            rf"papers|abstracts){_END}",
            r"\bwhere do (?:the|these|your) (?:papers|answers|abstracts|sources|quotes)"
            r" come from\b",
            r"\bcan you (?:please )?help(?: me)?(?: out)?[\s?!.]*$|\bdo you (?:speak|"
            r"understand|know) \w+[\s?!.]*$",
            r"\bcan you (?:read|see|access|open) (?:\w+ ){0,2}(?:papers|abstracts|pdfs?|"
            r"articles)\b",
            r"\bdid (?:a|any) (?:human|person|ai|model) write\b",
            r"^how are you(?: doing)?(?: today)?[?!.\s]*$",
            r"^(?:help|help me|usage|examples?|instructions?|start|menu|what now|"
            r"how to use(?: this)?)[?!.\s]*$",
            r"\bhelp me get started\b|\b(?:give|show) me (?:an |some )?(?:sample |"
            r"example )?(?:examples?|questions?)(?: questions?| of (?:questions?|something|"
            r"things))?(?: to ask| i can ask)?[?!.\s]*$",
            rf"\btell me about (?:yourself|this {_US}|the {_US}){_END}",
        )
    ),
    re.IGNORECASE,
)
_DRAWN_OUT = re.compile(r"(.)\1{2,}")
_MOST_WORDS_ABOUT_US = 16
# What a follow-up refers with. "that" and "this" count where they stand for something, not where
# they join clauses ("which paper shows that …").
_PRONOUN = re.compile(r"\b(?:it|its|it's|they|they're|them|their|theirs)\b", re.IGNORECASE)
_EXPLETIVE = re.compile(
    r"\b(?:is|was|would|will|can|could) it (?:be )?(?:\w+ ){1,2}(?:to|that|for)\b"
    r"|\b(?:does|did|would|will) it (?:matter|take|make sense|help|pay|hurt)\b",
    re.IGNORECASE,
)
_THING = (
    r"(?:one|ones|papers?|study|studies|works?|authors?|models?|methods?|approach|systems?"
    r"|technique|framework|data ?sets?|benchmark|idea|results?|tool|problem|number|figure|score"
    r"|claim|people|first|second|third|last|former|latter|other)"
)
_POINTS = re.compile(
    rf"\b(?:this|that|these|those|the|the same|the other) {_THING}\b"
    r"|\b(?:this|that|these|those)(?= *(?:[?!.,;]|$))"
    r"|\b(?:is|was|are|were|does|do|did|has|had|have|can|could|will|would|how|why|of|about|than"
    r"|with|from) (?:this|that|these|those)\b"
    r"|\b(?:what|anything|something|where) else\b|\bthe (?:former|latter)\b|\bboth of\b",
    re.IGNORECASE,
)
_GOES_ON = re.compile(
    r"^(?:and|but|so|also|then|what about|how about|why|how so|really)\b", re.IGNORECASE
)
_FRESH = re.compile(
    r"^\W*(?:and |so |but |also |then )?(?:(?:what|who)(?:'s| is| are) (?!the\b|your\b)|define\b"
    r"|papers? (?:on|about)\b|(?:is|are) there\b|which papers?\b"
    r"|(?:any|some)(?:thing| papers?)?\b|(?:who|anyone|anybody) else\b|(?:an|which) ?other\b)",
    re.IGNORECASE,
)
# Asked first it means this tool, asked after an answer the paper.
_HOW_IT_WORKS = re.compile(r"^\W*(?:and |so |but )?how (?:do|does|did) (?:it|this|that) ", re.I)
# Written like names, and names of nothing that a paper could introduce.
_COMMON = frozenset(
    "gpu gpus cpu cpus tpu tpus llm llms lm lms ai ml nlp rl api apis rag ram vram sft".split()
)
_FEW_WORDS = 2  # of content, before a pronoun: with more of them, it refers to one of them
_FEW_WORDS_IN_ALL = 4
_MOST_WORDS_POINTING = 6
_MOST_CHARACTERS = 500  # what is longer explains itself


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
    if not words and any(unicodedata.category(char) == "So" for char in text):
        return Route("chat", "a picture sign")
    rest = _OPENING.sub("", text)
    short = len(rest.split()) <= _MOST_WORDS_ABOUT_US
    if short and _ABOUT_US.search(rest) and not marked_names(rest.replace("PaperChat", "")):
        return Route("chat", "about the collection or this tool")
    return Route("answer", "a question to look up")


def standalone(question: str, conversation: Sequence[Answer]) -> str:
    """*question* with what it refers to: a follow-up carries the paper last answered from.

    A question that names nothing of its own and points back ("and how big is it?") is read with
    the title of the last answer's first source. Any other stays as it is, and so does small talk.
    """
    past = [answer for answer in conversation if answer.sources]
    if not past or not _points_back(question):
        return question
    if route(question).shape == "chat" and not _HOW_IT_WORKS.search(question):
        return question
    title = past[-1].sources[0].title
    head, colon, _ = title.partition(":")
    name = head if colon and 0 < len(head.split()) <= 5 else title
    return f"{question.strip()} ({name})"


def _points_back(question: str) -> bool:
    text = squeeze(fold(question))
    if len(text) > _MOST_CHARACTERS:
        return False
    names = [name for name in marked_names(text) if name.lower() not in _COMMON]
    start = min((text.find(name) for name in names), default=len(text))
    pronoun = _PRONOUN.search(_EXPLETIVE.sub("", text[:start]))
    words = len(content_words(text))
    if pronoun:
        before = len(content_words(pronoun.string[: pronoun.start()]))
        return before <= _FEW_WORDS or words <= _FEW_WORDS_IN_ALL
    if names:
        return False
    if _POINTS.search(text) and words <= _MOST_WORDS_POINTING:
        return True
    return not _FRESH.search(text) and bool(_GOES_ON.search(text) or words <= 2)
