"""Words of PostgreSQL's index tell of what days an entry is, so that the newest are found without
all others. It is made anew, which takes a minute and a half of the processor for 100,000 runs."""

from django.db import migrations

TEXTS = "heading || ' ' || prompt || ' ' || fused || ' ' || rest || ' ' || facets"
IN_TIME = f"{TEXTS} || ' ·d' || (id >> 49)::text"


def _index(texts):
    words = f"array_to_tsvector(array_remove(string_to_array({texts}, ' '), ''))"

    def make(apps, schema_editor):
        if schema_editor.connection.vendor == "postgresql":
            schema_editor.execute("DROP INDEX search_words")
            sql = f"CREATE INDEX search_words ON console_searchentry USING gin (({words}))"
            schema_editor.execute(sql, None)

    return make


class Migration(migrations.Migration):
    dependencies = [("console", "0054_search_stale")]

    operations = [migrations.RunPython(_index(IN_TIME), _index(TEXTS))]
