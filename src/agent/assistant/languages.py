"""Languages that the desk does not read without a model: told by their small words, answered in a sentence each."""

import re
from typing import Final, NamedTuple

_WORD: Final = re.compile(r"[^\W\d_]+")
_LEAST: Final = 2
"""Small words of a language that a message has at least."""


class Language(NamedTuple):
    """`words` are frequent in it and are no English; `answer` says what the desk reads, and offers a person."""

    words: frozenset[str]
    answer: str


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


ENGLISH: Final = _words(
    "the is are was were to of and my i you it that this have has not do does can will would where when what how why"
    " please order for with from on in at be want need your me we our no any there been did"
)

LANGUAGES: Final = {
    "de": Language(
        _words(
            "ich mein meine meinen meiner wo ist sind bitte wie wann warum nicht der das und ein eine einen habe hat"
            " haben möchte kann können wurde für mit auf von zu den dem es noch kein keine sie mir mich bestellung"
            " rechnung stornieren zurück geld lieferung paket hallo danke guten tag ihr ihre bin"
        ),
        "Ich lese hier nur Englisch. Schreiben Sie “person”, dann antwortet Ihnen jemand von uns.",
    ),
    "es": Language(
        _words(
            "el la los las un una mi mis dónde donde está esta es son quiero quisiera por favor para con del que qué"
            " como cómo cuándo cuando no pedido cancelar devolver dinero factura paquete hola gracias tengo necesito mí"
            " su se ha he y llegado yo puedo puede buenos días"
        )
        - {"no"},
        "Aquí solo leo inglés. Escriba “person” y le responderá una persona de nuestro equipo.",
    ),
    "fr": Language(
        _words(
            "le la les un une des mon ma mes où est sont je veux voudrais pour avec du que quoi comment quand pas ne"
            " commande annuler rembourser argent facture colis bonjour merci j ai vous votre nous s il plaît plait et"
            " ce cette n c dans sur au reçu suis"
        ),
        "Je ne lis ici que l'anglais. Écrivez « person » et une personne de notre équipe vous répondra.",
    ),
    "it": Language(
        _words(
            "il lo la gli un una mio mia miei dove è sono voglio vorrei per con del della che come quando non ordine"
            " annullare rimborso soldi fattura pacco ciao grazie ho hai mi si e di favore buongiorno ancora arrivato"
            " questo questa il posso"
        ),
        "Qui leggo solo l'inglese. Scriva “person” e le risponderà una persona del nostro team.",
    ),
    "nl": Language(
        _words(
            "de het een mijn waar is zijn ik wil graag voor met van dat hoe wanneer niet bestelling annuleren"
            " terug geld factuur pakket hallo bedankt heb heeft u uw kan kunt nog geen en op er alstublieft aub"
            " wordt deze dit mij"
        )
        - {"is"},
        "Ik lees hier alleen Engels. Schrijf “person” en een medewerker antwoordt u.",
    ),
    "pt": Language(
        _words(
            "o os um uma meu minha meus onde está é são eu quero gostaria por favor para com do da que como quando não"
            " pedido encomenda cancelar devolver dinheiro fatura pacote olá obrigado obrigada tenho preciso você se foi"
            " ainda chegou e no na posso bom dia"
        )
        - {"no", "do"},
        "Aqui só leio inglês. Escreva “person” e uma pessoa da nossa equipa responde-lhe.",
    ),
}
"""By their ISO 639-1 codes."""


def foreign(text: str) -> str | None:
    """The code of the language that a message is written in, if it is one of `LANGUAGES` and not English."""
    said = _WORD.findall(text.lower())
    heard = {code: sum(word in language.words for word in said) for code, language in LANGUAGES.items()}
    code = max(heard, key=heard.__getitem__)
    english = sum(word in ENGLISH for word in said)
    return code if heard[code] >= _LEAST and heard[code] > english else None
