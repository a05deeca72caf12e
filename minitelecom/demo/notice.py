"""What the demo says when it is ready: eight lines, which a newcomer can follow from the first to the last."""

from pathlib import Path

from minitelecom.config import Config
from minitelecom.demo.furniture import ADMINISTRATOR, Furniture


def notice(config: Config, file: Path, furniture: Furniture, host: str) -> list[str]:
    """The lines; `host` is this machine as telephones and browsers see it."""
    (first, first_password), (second, second_password) = furniture.telephones.items()
    card = furniture.cards[-1]
    sip, web = config.sip.listen[0].port, config.web.listen.port
    ways = " or ".join(dict.fromkeys(endpoint.transport.upper() for endpoint in config.sip.listen))
    return [
        f"MiniTelecom's demo shop is open. Ctrl-C closes it. Its settings: {file}",
        f"1. Register a SIP telephone or softphone: server {host}:{sip} ({ways}), user {first}, password {first_password}",
        f"2. And another: user {second}, password {second_password}. Now {first} can dial {second} and ring it.",
        "3. Dial 00442079460123, or any other number abroad: a test carrier rings, answers, speaks and echoes you.",
        "4. Dial 00442079460486 (busy), …480 (nobody answers), …404 (no such number); 112 costs nothing.",
        f"5. Dial {config.ivr.card}, the card dialogue: card {card.number}, password {card.password},"
        " then a number as above and #.",
        f"6. Open http://{host}:{web}/ as {ADMINISTRATOR}, password {furniture.administrator}:"
        " View Online Users while you talk, then View Calls; a click on a time shows the call, message by message.",
        f"7. In another shell: minitelecom calls --config {file}, or card show, status, doctor.",
    ]
