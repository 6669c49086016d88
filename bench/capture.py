"""Turns PostgreSQL's log of `comanda load place` (log_statement = all) into a script for pgbench.

Reads the log from stdin. The first argument makes the ids of this run different from those of other runs, the second
is the number of sessions that there must be.

An iteration of a guest is two transactions: a line into the cart, and the placing. Of each session the last two
iterations are compared. What is the same in both stays as it is. What differs is counted on: a whole number goes on
with the same step, a UUID that is new becomes another new one, the idempotency key too. Everything else that
differs (times, texts inside of events and answers) stays as it was in the last iteration, since nothing depends on it.
"""

import json
import re
import sys

ENTRY = re.compile(r"^\d{4}-\d\d-\d\d [\d:.]+ \S+ \[(\d+)\] (?:\S+ )*?(\w+):  (.*)", re.S)
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
EXECUTE = re.compile(r"EXECUTE (\w+) ?\(([^)]*)\)", re.I)
PREPARED = re.compile(r"PREPARE (\w+) \([\w, ]*\) AS (.*?)(?:;|$)", re.S)
PARAMETER = re.compile(r"\$(\d+) = ('(?:[^']|'')*'|NULL)")
# Stands for the part of new ids that differs from iteration to iteration, and for counted numbers.
MARK = "@@id@@"


def entries(text):
    """Process, severity, message; lines without a head belong to the entry before."""
    found = []
    for line in text.splitlines():
        head = ENTRY.match(line)
        if head:
            found.append([head.group(1), head.group(2), head.group(3)])
        elif found:
            found[-1][2] += "\n" + line
    return found


def transactions(log):
    """Lists of (sql, parameters) per committed transaction, in the order of their ends."""
    running, done = {}, []
    for process, severity, message in log:
        statements = running.setdefault(process, [])
        if severity == "DETAIL" and message.lower().startswith("parameters: ") and statements:
            values = {}
            for number, value in PARAMETER.findall(message):
                values[int(number)] = None if value == "NULL" else value[1:-1].replace("''", "'")
            statements[-1] = (statements[-1][0], values)
        if severity == "DETAIL" and message.startswith("prepare: ") and statements:
            statements[-1] = (written_out(statements[-1][0], message), {})
        if severity != "LOG":
            continue
        kind, _, sql = message.partition(": ")
        if kind == "statement":
            if sql.startswith("BEGIN"):
                statements.clear()
            statements.append((sql, {}))
        elif kind.startswith("execute"):
            statements.append((sql, {}))
            if sql == "COMMIT":
                done.append(statements[:])
                statements.clear()
    return done


def written_out(batch, details):
    """A batch with what the connection had prepared in place of its names: pgbench prepares by itself."""
    known = {name.lower(): sql for name, sql in PREPARED.findall(details)}

    def text(call):
        values = [value.strip() for value in call.group(2).split(",")]
        return re.sub(r"\$(\d+)", lambda n: values[int(n.group(1)) - 1], known[call.group(1).lower()])

    return EXECUTE.sub(text, batch)


def record(transaction):
    """The one statement that writes."""
    return next(((sql, values) for sql, values in transaction if sql.startswith("WITH w0")), ("", {}))


def session_of(transaction):
    """The session that a transaction changes."""
    for sql, _ in transaction[:1]:
        locked = re.search(r"FROM table_session WHERE tenant_id = '[^']+' AND id = '([^']+)'", sql)
        if locked:
            return locked.group(1)
    return None


def iterations(done):
    """Per session the last two pairs of transactions."""
    pairs, lines = {}, {}
    for transaction in done:
        sql, session = record(transaction)[0], session_of(transaction)
        if "INSERT INTO cart_line " in sql:
            lines[session] = transaction
        elif "INSERT INTO round " in sql and session in lines:
            pairs.setdefault(session, []).append((lines.pop(session), transaction))
    return [found[-2:] for found in pairs.values() if len(found) >= 2]


def counted(before, after, path=()):
    """`after` with whole numbers that have changed since `before` as marks of value and step."""
    if isinstance(after, dict) and isinstance(before, dict):
        return {key: counted(before.get(key), value, (*path, key)) for key, value in after.items()}
    if isinstance(after, list) and isinstance(before, list) and len(before) == len(after):
        return [counted(b, a, path) for b, a in zip(before, after)]
    if path and path[-1] == "key" and before != after:
        return f"bench-{MARK}"
    whole = all(isinstance(value, int) and not isinstance(value, bool) for value in (before, after))
    if whole and before != after:
        return f"@@{after}+{after - before}@@"
    return after


class Script:
    """One session's part of the script."""

    def __init__(self, before, after, run):
        known = set(UUID.findall(repr(before)))
        fresh = [uuid for uuid in dict.fromkeys(UUID.findall(repr(after))) if uuid not in known]
        # Which one it is comes first, what differs from iteration to iteration last: such ids ascend as ours do.
        self.fresh = {uuid: f"{run:04x}{n:04x}-0000-7000-8000-{MARK}" for n, uuid in enumerate(fresh)}

    def literal(self, before, after, is_key):
        """A parameter as SQL."""
        if after is None:
            return "NULL"
        text = after
        if is_key:
            text = f"bench-{MARK}"
        elif after[:1] in "[{" and after[1:2] in '{"]':
            try:
                text = json.dumps(counted(json.loads(before), json.loads(after)), ensure_ascii=False)
            except (json.JSONDecodeError, TypeError):
                text = after
        elif before != after and re.fullmatch(r"-?\d+", after) and re.fullmatch(r"-?\d+", before):
            text = f"@@{after}+{int(after) - int(before)}@@"
        for uuid, new in self.fresh.items():
            text = text.replace(uuid, new)
        # pgbench takes a colon before a letter for one of its variables.
        text = re.sub(r":(?=[A-Za-z_])", r"\\u003a", text) if text[:1] in "[{" else text
        sql = "'" + text.replace("'", "''") + "'"
        if MARK in sql:
            sql = f"replace({sql}, '{MARK}', lpad(to_hex(:u::bigint), 12, '0'))"
        for mark, value, step in sorted(set(re.findall(r"(@@(-?\d+)\+(-?\d+)@@)", text))):
            sql = f"replace({sql}, '{mark}', ({value} + {step} * :i::bigint)::text)"
        return sql

    def statement(self, before, after):
        """A prepared statement with its parameters written in."""
        (_, old), (sql, new) = before, after
        key = "idempotency_record" in sql and sql.startswith("SELECT")
        writes = sql.startswith("WITH")

        def value(match):
            number = int(match.group(1))
            was, now = old.get(number), new.get(number)
            is_key = bool(key and was != now and now is not None and now.startswith("load-"))
            written = self.literal(was, now, is_key)
            if "replace(" in written and writes:
                return f"({written})::jsonb"
            return written

        return re.sub(r"\$(\d+)", value, sql)

    def transaction(self, before, after):
        """Two pipelines, as the server sends them: what opens and loads, what records and commits."""
        lines = ["\\startpipeline"]
        opening = after[0][0]
        for sql in filter(None, (part.strip() for part in opening.split(";"))):
            lines.append(re.sub(r"comanda_claim_key\(-?\d+\)", "comanda_claim_key(:u::bigint)", sql) + ";")
        for was, now in zip(before[1:], after[1:], strict=True):
            if was[0] != now[0]:
                raise SystemExit(f"two iterations differ:\n{was[0]}\n{now[0]}")
            if now[0].startswith("WITH w0"):
                lines += ["\\endpipeline", "\\startpipeline"]
            lines.append(self.statement(was, now) + ";")
        return [*lines, "\\endpipeline"]


def main():
    run = int(sys.argv[1])
    found = iterations(transactions(entries(sys.stdin.read())))
    if len(found) != int(sys.argv[2]):
        raise SystemExit(f"two iterations of {sys.argv[2]} sessions are needed, the log has {len(found)}")
    sizes = {(len(line), len(place)) for _, (line, place) in found}
    print(f"{len(found)} sessions; messages per transaction (line, placing): {sorted(sizes)}", file=sys.stderr)
    print("\\set i :i + 1")
    print("\\set u :client_id * 268435456 + :i")
    for client, (before, after) in enumerate(found):
        print(f"\\{'el' if client else ''}if :client_id = {client}")
        script = Script(before, after, run)
        for was, now in zip(before, after):
            print("\n".join(script.transaction(was, now)))
    print("\\endif")


main()
