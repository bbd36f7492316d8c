"""What the tokenizers learn from, and what the models are asked."""

from typing import NamedTuple

#: An answer has no more tokens than this.
MOST_TOKENS = 32

PARAGRAPHS = [
    """The lighthouse at the end of the pier had not been lit for eleven years when the new keeper arrived. She came
    with two suitcases, a kettle and a box of spare lenses wrapped in newspaper. On the first evening she walked up
    all of the hundred and thirty steps, counted them aloud, and found that one was missing: somewhere between sixty
    and seventy the stair made a jump that only her knees noticed.""",
    """A device that joins a network should say what it can do, how long it will stay, and what it would rather not
    do. Nobody should have to guess. When a task is sent, the answer comes back with the name of the one who gave it,
    and when no answer comes, the task goes to another. That is all there is to it, and it is still enough to keep
    many careful people busy for a long time.""",
    """To bake a plain loaf, mix 500 g of flour with 350 g of water, 10 g of salt and a spoon of old dough. Wait.
    Fold it four times in two hours, let it rest through the night in a cold place, and bake it at 240 degrees until
    the crust is dark. What you should do with the first slice is between you and the butter.""",
    """Le café de la gare ouvre à six heures. Über den Dächern liegt noch Nebel, und die Straßenbahn fährt leer.
    El niño pregunta cuántas estrellas caben en un cubo; mañana será otro día. Привет, мир! 今天天气很好。 🦊🚀""",
    """Question: why does the moon look larger near the horizon? Answer: it does not; you compare it with trees,
    houses and ships, and they tell you that it must be far away. Measure it with a coin held at the length of your
    arm, and the coin wins both times. The user asked, the assistant answered, and the system said nothing.""",
    """for name, value in sorted(table.items()): print(f"{name}: {value:.2f}") # 0 1 2 3 4 5 6 7 8 9
    {"kind": "answer", "tokens": [12, 7, 256], "finished": true} (a + b) * c != a + b * c; x -= 1; return None""",
]

_STORY = """In the morning the ferry was late again. The captain blamed the fog, the passengers blamed the captain,
and a boy with a paper boat said that his had already crossed the harbour twice. Nobody listened to him except the
old woman who sold oranges. She asked how he steered it. With my breath, he said, and sometimes I let it go where it
wants. By noon the fog was gone, and everyone could see that the ferry had been lying at the wrong pier the whole
time, with its engine running and its lights on. So they walked across."""


class Prompt(NamedTuple):
    """A plain text, or the messages of a chat that the model's template turns into one."""

    name: str
    text: str = ""
    messages: tuple[dict[str, str], ...] = ()


def _message(role: str, content: str) -> dict[str, str]:
    return {"role": role, "content": content}


_SYSTEM = _message("system", "You answer in one short sentence.")
_QUESTION = _message("user", "Why does the moon look larger near the horizon?")
_ANSWER = _message("assistant", "It does not: you compare it with trees and houses.")

PROMPTS = [
    Prompt("short", "The device"),
    Prompt("sentence", "When a task is sent, the answer comes back with"),
    Prompt("other scripts", "Le café, Straße, Привет, 今天, 🦊"),
    Prompt("code", 'print(f"{name}: {value:.2f}")\n'),
    Prompt("long", _STORY),
    Prompt("chat", messages=(_SYSTEM, _QUESTION)),
    Prompt("conversation", messages=(_SYSTEM, _QUESTION, _ANSWER, _message("user", "And why is it red?"))),
]
