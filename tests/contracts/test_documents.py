"""The questions about documents, on each engine. What they answer: tests/exchange and registry."""

from __future__ import annotations

from hub.migrations.migrate import migrate
from hub.registry import document_store as store
from hub.storage.database import open_database

DIGEST = "A" * 43


async def test_every_question_about_documents_is_one_on_each_engine(database_url: str) -> None:
    """In an empty register each is answered with nothing."""
    database = await open_database(database_url)
    await migrate(database)
    try:
        for statement, arguments in (
            (store.VERSION_TO_ATTACH, ("c", "authorities/a", 1)),
            (store.DOCUMENT, ("d", "c", "authorities/a")),
            (store.DOCUMENTS_PAGE, ("c", "authorities/a", "", 10)),
            (store.STORED_PAGE, ("", 10)),
            (store.DOCUMENT_OF_BLOB, (DIGEST,)),
            (store.DOCUMENTS_OF_VERSION, ("v",)),
            (store.DOCUMENT_WITH_DIGEST, ("v", DIGEST)),
            (store.IDENTIFIERS_WITH_DIGEST, (DIGEST,)),
        ):
            assert await database.all(statement, *arguments) == []
    finally:
        await database.close()
