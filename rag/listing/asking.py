"""Words that ask for papers, or say that papers say something, and are no part of what is asked."""

from __future__ import annotations

ASK = frozenset(
    """
    mention mentions mentioned mentioning refer refers referred referring talk talks talking discuss
    discusses discussed discussing deal deals dealing dealt touch touches touching cover covers
    covered covering use uses used using evaluate evaluates evaluated evaluating report reports
    reported reporting test tests tested testing run runs ran running cite cites cited citing name
    names named naming present presents presented presenting propose proposes proposed proposing
    introduce introduces introduced speak speaks spoke speaking write writes wrote written writing
    contain contains contained containing include includes included invoke bring brings brought
    appear appears appearing occur occurs show shows shown showing turn turns turned pop pops come
    comes came crop crops feature features featured featuring drop drops namedrop namedrops
    namedropping literature material stuff around among been found whoever
    research say says
    said state states stated stating tell tells told describe describes described concern concerns
    concerned concerning address addresses addressed tackle tackles study studies studied studying
    investigate investigates examine examines explore explores look looks looking consider considers
    work works worked working focus focuses focused rely relies employ employs apply applies adopt
    adopts involve involves involving relate relates related revolve revolves center centers centre
    got get gets have has had having exist exists existing here abstract abstracts paper papers
    article articles publication publications preprint preprints text texts title titles collection
    corpus library set somebody someone anybody anyone people folks authors author team teams group
    groups everybody everyone everything anything something nothing stuff thing things one ones all
    any every each many much several some few list lists count number total amount give find show
    collect enumerate need want like love interested please thanks thank hi hello hey help hand know
    known see read reading somewhere anywhere explicitly actually really literally even just only
    also too still least proper actual real certain particular itself themselves alone specifically
    exactly roughly approximately sort sorts kind kinds type types form forms shape version versions
    variant variants flavour flavours flavor passing way ways word words term terms phrase phrases
    name names expression called call calls own new available question answer hold holds held
    subject subjects topic topics matter matters whatever whichever regardless result results
    experiment experiments claim claims set sets out line lines point points direction
    """.split()
)
