"""Which shape an answer takes, by rules that can be read."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from rag.listing.manner import ENOUGH, list_share, telling
from rag.listing.plural import list_reason
from rag.names import marked_names
from rag.question import focus
from rag.sides import asks_to_compare, names_against, one_and_another, several_in
from rag.text import fold, squeeze
from rag.types import Shape

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
    bad at good be been in of on with it's its really too pretty amazing love one ones
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
    r"|thx|ok(?:ay)?|great|cool|nice|perfect|wow|hm+|ah|oh|alright|interesting|again"
    r"|there|so much|a lot|very much|all|everyone"
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
_MOST_LETTERS_BEFORE = 12  # "and so please, …"; more of them are the question, which that ends
SIDE_BY_SIDE = "things side by side"

_PAPERS_DIFFER = re.compile(
    r"^\W*how (?:do|does) (?:the|these|those) (?:papers?|works?|studies|abstracts) (?:on"
    r"|about) .{3,80}"
    r"\band\b.{3,80}\b(?:differ|compare)\b",
    re.IGNORECASE,
)


_ONE_PAPER = re.compile(  # "any other paper about …" wants one
    r"^\W*(?:\w+ ){0,3}?(?:any|another|an?|some|which|what|that|the)(?: (?:other|single|one))?"
    r" (?:paper|study|article)\b",
    re.IGNORECASE,
)
_WHO = re.compile(r"\W*(?:who|any ?(?:one|body))\b(?! of\b)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Route:
    """The shape an answer takes, and why."""

    shape: Shape
    reason: str
    otherwise: Shape = "answer"  # what it is by rules, if it is not of that shape after all


def route(question: str) -> Route:
    """Decide the shape of the answer to *question*: by rules, or as a list by its manner.

    The rules come first. What they leave to be looked up, or would set side by side for a mere
    "than" or "compared", is a list where it reads like one (`rag.listing.manner`).
    """
    ruled = by_rules(question)
    if ruled.shape == "answer" or ruled.reason == SIDE_BY_SIDE:
        asked = focus(squeeze(fold(question)))
        if not _ONE_PAPER.search(asked) and list_share(asked, ruled.shape) >= ENOUGH:
            signs = ", ".join(f"\u201c{phrase}\u201d" for phrase in telling(asked, ruled.shape))
            reason = f"reads like one for papers in the plural: {signs}"
            return Route("list", reason, ruled.shape)
    return ruled


def by_rules(question: str) -> Route:
    """The shape by rules alone.

    Small talk and questions about PaperChat itself are `chat`; a greeting in front of a real
    question is not. Papers in the plural are a `list`, things side by side a `comparison`, and
    everything else is looked up. A list comes first: "which papers mention both" compares nothing.
    """
    text = squeeze(fold(question))
    words = _WORD.findall(_DRAWN_OUT.sub(r"\1", text.lower()))
    if words and _SMALL_TALK.issuperset(words) and not _SOCIAL.isdisjoint(words):
        return Route("chat", "small talk")
    if not words and any(unicodedata.category(char) == "So" for char in text):
        return Route("chat", "a picture sign")
    rest = _OPENING.sub("", text)
    short = len(rest.split()) <= _MOST_WORDS_ABOUT_US
    about = _ABOUT_US.search(rest)
    if (
        short
        and about
        and about.start() <= _MOST_LETTERS_BEFORE
        and not marked_names(rest.replace("PaperChat", ""))
    ):
        return Route("chat", "about the collection or this tool")
    return _of_papers(focus(question))


def _of_papers(asked: str) -> Route:
    """The shape of the answer to a question about papers, cut to what it asks."""
    if _PAPERS_DIFFER.search(asked):
        return Route("comparison", "papers on several things, asked how they differ")
    if _WHO.match(asked) and (wanted := list_reason(asked)):
        return Route("list", f"papers in the plural: {wanted}")
    if several_in(asked) and asks_to_compare(asked):
        return Route("comparison", "a number of things described together, side by side")
    if one_and_another(asked):
        return Route("comparison", "one thing and another, each described")
    if names_against(asked):
        return Route("comparison", "one name against another")
    if wanted := list_reason(asked):
        return Route("list", f"papers in the plural: {wanted}")
    if asks_to_compare(asked):
        return Route("comparison", SIDE_BY_SIDE)
    return Route("answer", "a question to look up")
