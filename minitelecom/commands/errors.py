"""What goes wrong in a command, as the one line that its user reads."""

import psycopg2

from minitelecom.config import BadConfig
from minitelecom.ivr.catalogue import BadCatalogue
from minitelecom.store.database import DatabaseAway
from minitelecom.store.migrations import SchemaDiffers, SchemaTooNew
from minitelecom.store.refusals import Refusal
from minitelecom.store.secrets import WrongKey
from minitelecom.store.server_user import NoServer


class Mistake(Exception):
    """What was asked for cannot be done; the sentence says why, and what to do where that is not plain."""


SPEAKING = (Mistake, BadConfig, NoServer, SchemaTooNew, SchemaDiffers, Refusal, WrongKey, BadCatalogue)
"""Their own words are meant for the user."""
EXPECTED = (*SPEAKING, DatabaseAway, psycopg2.Error, OSError)
"""Anything else is a mistake of ours and keeps its traceback."""


def sentence(error: BaseException) -> str:
    """One line about an expected error."""
    if isinstance(error, SPEAKING):
        return _one_line(str(error))
    if isinstance(error, DatabaseAway):
        return f"the database cannot be reached: {_one_line(str(error))}"
    if isinstance(error, psycopg2.Error):
        return f"the database refuses: {_one_line(error.diag.message_primary or str(error))}"
    if isinstance(error, OSError) and error.filename is not None:
        return f"{error.filename}: {error.strerror}"
    return _one_line(str(error))


def _one_line(text: str) -> str:
    return " ".join(text.split())
