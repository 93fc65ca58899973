"""What PostgreSQL says about a schema, in a form that two schemas compare by."""

from collections.abc import Mapping

import asyncpg

ALEMBIC = "alembic_version"
"""Its own table is no part of the schema."""

QUESTIONS: Mapping[str, str] = {
    "columns": """
        SELECT c.relname || '.' || a.attname AS name,
               concat_ws(' ', format_type(a.atttypid, a.atttypmod),
                         CASE WHEN a.attnotnull THEN 'NOT NULL' END,
                         'identity=' || a.attidentity::text,
                         'generated=' || a.attgenerated::text,
                         'default=' || pg_get_expr(d.adbin, d.adrelid)) AS shape
        FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid
        LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
        WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped
          AND c.relnamespace = 'public'::regnamespace""",
    "constraints": """
        SELECT c.relname || '.' || k.conname AS name,
               pg_get_constraintdef(k.oid) AS shape
        FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
        WHERE c.relnamespace = 'public'::regnamespace""",
    "indexes": """
        SELECT i.relname AS name, pg_get_indexdef(i.oid) AS shape
        FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid
        JOIN pg_class c ON c.oid = x.indrelid
        WHERE c.relnamespace = 'public'::regnamespace""",
    "options": """
        SELECT c.relname AS name, (
                 SELECT string_agg(option, ' ' ORDER BY option)
                 FROM unnest(c.reloptions) AS option
               ) AS shape
        FROM pg_class c
        WHERE c.relkind IN ('r', 'p', 'S', 'v', 'm')
          AND c.relnamespace = 'public'::regnamespace""",
}

PROTECTION: Mapping[str, str] = {
    "row security": """
        SELECT c.relname AS name,
               concat_ws(' ', c.relrowsecurity, c.relforcerowsecurity) AS shape
        FROM pg_class c
        WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace""",
    "policies": """
        SELECT tablename || '.' || policyname AS name,
               concat_ws(' ', permissive, roles, cmd, qual, with_check) AS shape
        FROM pg_policies WHERE schemaname = 'public'""",
    "owners": """
        SELECT c.relname AS name, pg_get_userbyid(c.relowner)::text AS shape
        FROM pg_class c WHERE c.relnamespace = 'public'::regnamespace""",
    "table rights": """
        SELECT concat_ws(' ', c.relname, a.grantee::regrole,
                         a.privilege_type) AS name,
               a.grantor::regrole::text AS shape
        FROM pg_class c,
             aclexplode(coalesce(c.relacl, acldefault('r', c.relowner))) a
        WHERE c.relkind IN ('r', 'p') AND c.relnamespace = 'public'::regnamespace""",
    "column rights": """
        SELECT concat_ws(' ', c.relname, t.attname, a.grantee::regrole,
                         a.privilege_type) AS name,
               a.grantor::regrole::text AS shape
        FROM pg_class c JOIN pg_attribute t ON t.attrelid = c.oid,
             aclexplode(t.attacl) a
        WHERE c.relnamespace = 'public'::regnamespace""",
    "schema rights": """
        SELECT concat_ws(' ', a.grantee::regrole, a.privilege_type) AS name,
               a.grantor::regrole::text AS shape
        FROM pg_namespace n, aclexplode(n.nspacl) a WHERE n.nspname = 'public'""",
    "extensions": "SELECT extname::text AS name, extversion AS shape FROM pg_extension",
    "functions": """
        SELECT oid::regprocedure::text AS name, pg_get_functiondef(oid) AS shape
        FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prokind <> 'a'
          AND NOT EXISTS (SELECT FROM pg_depend
                          WHERE objid = pg_proc.oid AND deptype = 'e')""",
}

EVERYTHING = {**QUESTIONS, **PROTECTION}

Catalogue = dict[str, dict[str, str]]


async def catalogue(
    database_url: str, questions: Mapping[str, str] = EVERYTHING
) -> Catalogue:
    """Return, by kind, the name and the shape of everything there is."""
    connection = await asyncpg.connect(database_url)
    try:
        return {
            kind: {
                row["name"]: row["shape"]
                for row in await connection.fetch(question)
                if not row["name"].startswith(ALEMBIC)
            }
            for kind, question in questions.items()
        }
    finally:
        await connection.close()
