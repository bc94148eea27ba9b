"""
Do the tests notice? Each deliberate defect is put into a copy of the project, and a test must fail there.

    make mutants                    all of them, a few minutes
    python -m tests.mutants NAME …  some of them

Ends with 1 if one survives, or cannot be made any more because the code has changed: then change it here, too.
"""

import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

ROOT = Path(__file__).parents[1]
COPIED = (
    "xmlrpc_api",
    "handlers",
    "models",
    "alembic",
    "tests",
    "config",
    "docs",
    "pyproject.toml",
    "Makefile",
    "README.md",
)
SECONDS = 300
SERVICES = "xmlrpc_api/services"
TRANSPORT = "xmlrpc_api/transport"


@dataclass(frozen=True)
class Mutant:
    """
    A defect: in `file` it puts `new` for `old`, and of `tests` (arguments of pytest) one must fail.

    Attributes:
        also: Further pairs of old and new, where what is right is ensured twice.
    """

    name: str
    file: str
    old: str
    new: str
    tests: str
    also: tuple[tuple[str, str], ...] = ()


MUTANTS = (
    Mutant(
        "a total is that of the page",
        f"{SERVICES}/tree/lists.py",
        "if is_all else await self.total(call, wanted, *conditions, of=of)\n",
        "\n",
        "tests/handlers/test_paging.py -k TestTotals",
    ),
    Mutant(
        "a rule needs as much memory as it likes",
        "xmlrpc_api/declaration/number_rules.py",
        "        if instructions > MOST_INSTRUCTIONS:\n",
        "        if step.what.programsize > MOST_INSTRUCTIONS:\n",
        "tests/declaration/test_number_rules.py",
    ),
    Mutant(
        "a rule makes a number as long as it likes",
        "xmlrpc_api/declaration/number_rules.py",
        "            number = step.apply(number)\n            _demand_short(number)\n",
        "            number = step.apply(number)\n",
        "tests/declaration/test_number_rules.py",
    ),
    Mutant(
        "the sign that turns a match rule round is ignored",
        "xmlrpc_api/declaration/number_rules.py",
        "(self.what.search(number) is not None) is not self.is_negated",
        "self.what.search(number) is not None",
        "tests/declaration/test_number_rules.py -k matches",
    ),
    Mutant(
        "an upload that somebody else holds is taken over",
        f"{SERVICES}/catalogue/bulk/processing.py",
        "    if held is None:\n        raise LostError\n",
        "    held = held or upload\n",
        "tests/handlers/test_upload_ends.py -k another_holder",
    ),
    Mutant(
        "a token is good for two files",
        f"{SERVICES}/catalogue/bulk/files.py",
        "Upload.nonce == told.nonce, Upload.status == INIT_TOKEN)\n",
        "Upload.nonce == told.nonce)\n",
        "tests/handlers/test_uploads.py -k good_for_one",
        also=(("Upload.holder == self._holder, Upload.status == INIT_TOKEN)", "Upload.holder == self._holder)"),),
    ),
    Mutant(
        "who lost the right meanwhile may change rates by a file",
        f"{SERVICES}/catalogue/bulk/importing.py",
        "    call.caller.demand(Right.TARIFFS_EDIT)\n",
        "",
        "tests/handlers/test_uploads.py -k any_more",
    ),
    Mutant(
        "a list with a wrong line is taken over as far as it is right",
        f"{SERVICES}/catalogue/bulk/importing.py",
        "    if not (merged.wrong or table.wrong or wanted.dry_run):\n",
        "    if not wanted.dry_run:\n",
        "tests/handlers/test_uploads.py -k one_wrong_line",
    ),
    Mutant(
        "a spreadsheet runs what is exported",
        "xmlrpc_api/tabular/cells.py",
        """    return f"'{cell}" if _RUNS.match(cell) else cell\n""",
        "    return cell\n",
        "tests/tabular/test_cells.py -k spreadsheet",
    ),
    Mutant(
        "a page behind a row begins with the row",
        f"{SERVICES}/tree/stretches.py",
        "        condition: ColumnElement[bool] = place < other if self.newest_first else place > other\n",
        "        condition: ColumnElement[bool] = place <= other if self.newest_first else place >= other\n",
        "tests/handlers/test_paging.py -k together",
    ),
    Mutant(
        "a stretch of an index goes on with the next owner",
        f"{SERVICES}/tree/stretches.py",
        "        usual = and_(key.behind(tuple_(*columns), tuple_(*bound, after)), within)\n",
        "        usual = and_(key.behind(tuple_(*columns), tuple_(*bound, after)))\n",
        "tests/handlers/test_paging.py -k callers",
    ),
    Mutant(
        "a list is read by the ids of everybody's rows",
        f"{SERVICES}/tree/lists.py",
        'of.stretch(listed.statement.where(*also), own, bindparam("after", type_=own.id.type))',
        'listed.statement.where(*also, *of.equal(), own.behind(own.id, bindparam("after"))).order_by(listed.key)',
        "tests/test_plans.py",
    ),
    Mutant(
        "payments of a customer that is gone are told",
        f"{SERVICES}/money/payments.py",
        "Of({LedgerEntry.i_payer: caller}, (IS_THERE,))",
        "Of({LedgerEntry.i_payer: caller})",
        "tests/handlers/test_paging.py -k gone",
    ),
    Mutant(
        "the payments of an account are those of any customer",
        f"{SERVICES}/money/payments.py",
        "        also = [] if i_customer is None else [Balance.i_customer == i_customer]\n",
        "        also: list[Any] = []\n",
        "tests/handlers/test_paging.py -k alone",
    ),
    Mutant(
        "payments do not tell whose they are",
        "alembic/versions/0014-find_payments_by_owner.py",
        "    tell_parties()\n    is_payment",
        "    is_payment",
        "tests/test_migrations.py -k whose_they_are",
    ),
    Mutant(
        "a table that is made again takes along what points at it",
        "alembic/env.py",
        '    switch(connection, "OFF")\n',
        "",
        "tests/test_migrations.py -k made_again",
    ),
    Mutant(
        "a migration leaves rows that point at nothing",
        "alembic/env.py",
        "        demand_foreign_keys(connection)\n",
        "",
        "tests/test_migrations.py -k pointing_at_nothing",
    ),
    Mutant(
        "what belongs to strangers is anybody's to change",
        f"{SERVICES}/belongings.py",
        "in_reach.where(wanted, ownership.within(call.caller, REACH))",
        "in_reach.where(wanted)",
        "tests/handlers/test_web_users.py -k not_there",
    ),
    Mutant(
        "something is put below a customer whom nobody holds",
        f"{SERVICES}/tree/ownership.py",
        "statement.with_for_update(read=True, key_share=True)",
        "statement",
        "tests/handlers/test_gone_meanwhile.py -k matter",
    ),
    Mutant(
        "what belongs to strangers is told by NGNPro's ids",
        f"{SERVICES}/ngnpro/queries.py",
        "listed.statement.where(wanted, ownership.reached(REACH))",
        "listed.statement.where(wanted)",
        "tests/handlers/ngnpro/test_customers.py -k sees_himself",
    ),
    Mutant(
        "rights that nobody can lend are lent",
        f"{SERVICES}/tree/lending.py",
        "return loan if loan.is_good else None",
        "return loan",
        "tests/handlers/ngnpro/test_lending.py -k is_ignored",
    ),
    Mutant(
        "a page behind the last tells that nothing is there",
        f"{SERVICES}/tree/lists.py",
        "and (there or not asked.start)",
        "",
        "tests/handlers/ngnpro/test_reading.py -k may_be_seen",
    ),
    Mutant(
        "a refusal on the driver's path is a bug of ours",
        "xmlrpc_api/storage/errors.py",
        "_REFUSALS = (IntegrityError, asyncpg.IntegrityConstraintViolationError, sqlite3.IntegrityError)",
        "_REFUSALS = (IntegrityError,)",
        "tests/test_store.py -k Refusals",
    ),
    Mutant(
        "a balance is read, changed and written",
        f"{SERVICES}/money/ledger.py",
        ".with_for_update()",
        "",
        "tests/handlers/test_payments.py -k concurrent_credits",
    ),
    Mutant(
        "a debit takes what is not there",
        f"{SERVICES}/money/ledger.py",
        "    if booking.amount < 0 and after + balance.credit_limit < 0 and not booking.is_owed:\n",
        "    if False:\n",
        "tests/handlers/test_payments.py -k Races",
        also=(("Query(_CHANGED.where(_IS_THERE), ", "Query(_CHANGED, "),),
    ),
    Mutant(
        "a one-time password is checked, then marked",
        f"{SERVICES}/logins/one_time.py",
        "            kind.model.one_time_used.is_(None),\n",
        "",
        "tests/handlers/test_one_time_passwords.py -k many_uses_at_once",
    ),
    Mutant(
        "a one-time password is good twice",
        f"{SERVICES}/logins/one_time.py",
        "    return user.one_time_used is None\n",
        "    return True\n",
        "tests/handlers/test_one_time_passwords.py -k accepted_once",
        also=(("            kind.model.one_time_used.is_(None),\n", ""),),
    ),
    Mutant(
        "a one-time password never expires",
        f"{SERVICES}/logins/one_time.py",
        "expires is not None and call.now < expires",
        "expires is not None",
        "tests/handlers/test_one_time_passwords.py -k expires_to_the_second",
        also=(("            kind.model.one_time_expires > call.now,\n", ""),),
    ),
    Mutant(
        "an unknown login costs no hash",
        "xmlrpc_api/crypto/passwords.py",
        '        known = hashed if hashed and hashed != NOBODYS_HASH else f"$2b${self._cost:02}${_NOBODYS}"\n',
        "        if not hashed or hashed == NOBODYS_HASH:\n            return False\n        known = hashed\n",
        "tests/handlers/test_logins.py -k costs_the_same",
    ),
    Mutant(
        "passwords are hashed on the event loop",
        "xmlrpc_api/crypto/passwords.py",
        "            return await asyncio.get_running_loop().run_in_executor(self._guesses, work)\n",
        "            return work()\n",
        "tests/cli/test_overload.py -k wrong_passwords",
    ),
    Mutant(
        "any number of password checks may wait",
        "xmlrpc_api/crypto/passwords.py",
        "        if self._waiting >= self._room:\n",
        "        if False:\n",
        "tests/handlers/test_logins.py -k too_many_at_once",
    ),
    Mutant(
        "X-Forwarded-For is believed from anybody",
        f"{TRANSPORT}/http.py",
        "    if not is_local and not is_in(address, config.trusted_proxies):\n",
        "    if FORWARDED_FOR not in request.headers:\n",
        "tests/access/test_trusted.py -k who_is_trusted",
    ),
    Mutant(
        "a web page is trusted like its host",
        f"{TRANSPORT}/http.py",
        "    if from_elsewhere:\n        note_refused",
        "    if False:\n        note_refused",
        "tests/access/test_trusted.py -k browser",
    ),
    Mutant(
        "it answers before it commits",
        "xmlrpc_api/storage/transaction.py",
        "                await self.commit()\n"
        "        finally:\n"
        "            self._batch = Batch()\n"
        "            if not self._connection.closed:\n",
        "                import asyncio\n\n"
        "                await self.flush()\n\n"
        "                async def commit() -> None:\n"
        "                    await asyncio.sleep(0.01)\n"
        "                    await self._connection.run_sync(_commit)\n\n"
        "                self.pending = asyncio.ensure_future(commit())\n"
        "        finally:\n"
        "            if kind is not None:\n",
        "tests/cli/test_crash.py",
    ),
    Mutant(
        "a record is counted without a lock",
        f"{SERVICES}/tree/quotas.py",
        "    locked = locked.order_by(Customer.i_customer).with_for_update(key_share=True)\n",
        "",
        "tests/handlers/ngnpro/test_sip_credits.py -k many_creators",
    ),
    Mutant(
        "who waits to send a body is left waiting",
        f"{TRANSPORT}/ladder.py",
        '            if "Expect" in self.request.headers:',
        "            if False:",
        "tests/transport/test_framing.py -k before_he_has_logged_in",
    ),
    Mutant(
        "a link on a web page changes something",
        f"{TRANSPORT}/http.py",
        '    if request.method != "POST" and not gate.config.api_get_changes:\n',
        "    if False:\n",
        "tests/transport/test_browsers.py",
    ),
    Mutant(
        "a savepoint is there when a session begins with it",
        "xmlrpc_api/dispatch/transactions.py",
        "            await store.session.connection()",
        "            pass",
        "tests/storage/test_transaction.py -k Savepoint",
    ),
    Mutant(
        "what waits is sent though its savepoint is undone",
        "xmlrpc_api/storage/transaction.py",
        'if self._batch and statement.startswith("ROLLBACK TO"):',
        "if False:",
        "tests/storage/test_transaction.py -k not_even_tried",
    ),
    Mutant(
        "a statement of a session overtakes what waits",
        "xmlrpc_api/storage/transaction.py",
        "            util.await_only(self._send())\n",
        "            pass\n",
        "tests/storage/test_transaction.py -k statement_of_the_session",
    ),
    Mutant(
        "two changes of one row are sent as one statement",
        "xmlrpc_api/storage/together.py",
        "any(given[query.row] == old[query.row] for old in rows)",
        "False",
        "tests/storage/test_transaction.py -k two_changes",
    ),
    Mutant(
        "a change that finds no row is none",
        "xmlrpc_api/storage/transaction.py",
        "                if len(await self._run(sql, values)) != changes:\n",
        "                if len(await self._run(sql, values)) < 0:\n",
        "tests/storage/test_transaction.py -k finds_no_row",
    ),
    Mutant(
        "a booking that was undone is believed",
        "xmlrpc_api/dispatch/transactions.py",
        "        store.session.expire_all()\n",
        "",
        "tests/test_dispatch.py -k undone",
    ),
    Mutant(
        "a trial keeps what a fault keeps",
        "xmlrpc_api/dispatch/execution.py",
        "        self._begin = database.transaction if keep else lambda: undone(database.transaction())\n",
        "        self._begin = database.transaction\n",
        "tests/test_dispatch.py -k unless_nothing",
    ),
    Mutant(
        "an idempotency key does nothing",
        "xmlrpc_api/dispatch/execution.py",
        "    if key is not None:\n        first =",
        "    if False:\n        first =",
        "tests/handlers/test_idempotency.py",
    ),
    Mutant(
        "names in a fault are ours, whatever the dialect",
        "xmlrpc_api/declaration/faults.py",
        "    return words.get(part, part) if isinstance(part, Name) else part\n",
        "    return part\n",
        "tests/dialects/test_ngnpro.py",
    ),
    Mutant(
        "what no dialect has is no error",
        "xmlrpc_api/dialects/entities.py",
        "    if nobodys := lacked & entity.writable - renamed.keys():\n",
        "    if nobodys := frozenset[str]():\n",
        "tests/dialects/test_entities.py",
    ),
    Mutant(
        "an answer that is sent again loses its envelope",
        "xmlrpc_api/transport/rest.py",
        "enveloped(answer)",
        "answer",
        "tests/handlers/test_idempotency.py -k older_version",
    ),
    Mutant(
        "a Digest answer may be sent again",
        "xmlrpc_api/access/digest.py",
        "            if ahead <= -_WINDOW or (ahead <= 0 and seen >> -ahead & 1):\n                return False\n",
        "",
        "tests/access/test_digest_wire.py -k sent_twice",
    ),
    Mutant(
        "a nonce of somebody else is taken",
        "xmlrpc_api/access/digest.py",
        " or not hmac.compare_digest(mac, self._mac(head))",
        "",
        "tests/access/test_digest_wire.py -k was_changed",
    ),
    Mutant(
        "what is foreign can be told from what is missing",
        f"{SERVICES}/customers.py",
        "    if not rows:\n        raise NotFound(Customer)\n",
        "    if not rows and await call.store.rows(INFO_BY_ID, caller=1, wanted=wanted):\n"
        '        raise NotPermitted("he is not yours")\n'
        "    if not rows:\n        raise NotFound(Customer)\n",
        "tests/handlers/test_customer_tree.py -k foreign_and_missing",
    ),
    Mutant(
        "everybody below is a direct sub-customer",
        f"{SERVICES}/tree/ownership.py",
        "    others = Customer.i_wholesaler == caller if children else below_it\n",
        "    others = below_it\n",
        "tests/handlers/test_customer_tree.py -k grandchildren",
    ),
    Mutant(
        "a right is handed down that one lacks",
        "xmlrpc_api/declaration/rights.py",
        "            if changed.get(name, 0) & ~getattr(self, name):\n",
        "            if False:\n",
        "tests/handlers/test_customer_rights.py -k lacks",
    ),
    Mutant(
        "what is declared as sealed is kept as it was sent",
        f"{SERVICES}/records.py",
        "        elif name in sealed and value is not None:\n",
        "        elif False:\n",
        "tests/test_keys.py tests/handlers/test_api_passwords.py",
    ),
    Mutant(
        "a change is not counted",
        f"{SERVICES}/records.py",
        "        if entity.counter is not None:\n",
        "        if False:\n",
        "tests/handlers/test_history.py -k stale",
    ),
    Mutant(
        "a change of a default login is none of his customer",
        f"{SERVICES}/logins/web_users.py",
        "    if not user.is_default:\n        await records.change",
        "    if True:\n        await records.change",
        "tests/handlers/test_web_users.py",
    ),
    Mutant(
        "a right that is taken away stays below",
        f"{SERVICES}/descendants.py",
        "    if lost:\n        await _update_below",
        "    if False:\n        await _update_below",
        "tests/handlers/test_customer_rights.py -k taken_away_below",
    ),
    Mutant(
        "somebody below a block may call",
        f"{SERVICES}/tree/ownership.py",
        "    return len(ancestors(path)) > 1 and bool(await store.rows(_BLOCKED_ABOVE, i_customer=i_customer))\n",
        "    return False\n",
        "tests/handlers/test_customer_tree.py -k shuts_out",
    ),
    Mutant(
        "over-commit is not looked at",
        f"{SERVICES}/money/overcommit.py",
        "    for i_customer in protected:\n",
        "    for i_customer in ():\n",
        "tests/handlers/test_overcommit.py -k Paths",
    ),
    Mutant(
        "a stale change overwrites",
        f"{SERVICES}/customers.py",
        "        if self.version not in (None, customer.version):\n",
        "        if False:\n",
        "tests/handlers/test_history.py -k stale",
    ),
    Mutant(
        "the history is not signed as it is",
        f"{SERVICES}/history/audit.py",
        "        return is_right is False\n",
        "        return False\n",
        "tests/handlers/test_history.py -k changed_row_is_found",
    ),
    Mutant(
        "a second factor's code is good twice",
        f"{SERVICES}/logins/second_factor.py",
        "        .values(totp_step=right[0])\n",
        "        .values(totp_step=None)\n",
        "tests/handlers/test_second_factor.py -k accepted_once",
    ),
    Mutant(
        "kinds of throttle keys are one name space",
        f"{SERVICES}/logins/throttle.py",
        "[kind.name, call.caller.i_customer, what]",
        "[call.caller.i_customer, what]",
        "tests/handlers/test_throttle.py -k names_of_one_kind",
    ),
    Mutant(
        "all that a portal sends is one throttle",
        f"{SERVICES}/logins/throttle.py",
        "    found = {_key(call, kind, what): config.login_failures}\n",
        "    found = {_key(call, kind, what): config.login_failures, **flood(call)}\n",
        "tests/handlers/test_guessing.py -k invented",
    ),
    Mutant(
        "the token of a device outlives the password",
        f"{SERVICES}/logins/attempt.py",
        "getattr(user, kind.login_name), *passwords]\n",
        "getattr(user, kind.login_name)]\n",
        "tests/handlers/test_guessing.py -k change_of_password_or_login",
    ),
    Mutant(
        "any code opens a locked login",
        f"{SERVICES}/logins/authentication.py",
        "not has_factor if found.is_closed",
        "False if found.is_closed",
        "tests/handlers/test_guessing.py -k opens_nothing",
    ),
    Mutant(
        "a success from a device frees those who guess",
        f"{SERVICES}/logins/attempt.py",
        "        counted = throttle.limits(call, throttle.Kind.DEVICE, device)\n",
        "        counted = throttle.limits(call, attempt.kind.throttled, login_key(attempt.login))\n",
        "tests/handlers/test_guessing.py -k used_before",
    ),
    Mutant(
        "a flood washes out counters of API credentials",
        "xmlrpc_api/access/credential_throttle.py",
        "        level = self._levels[count.failures.bit_length() - 1]\n",
        "        level = self._levels[0]\n",
        "tests/access/test_attempts.py -k wash",
    ),
    Mutant(
        "failures of one caller lock out another",
        f"{SERVICES}/logins/throttle.py",
        "call.caller.i_customer",
        "0",
        "tests/handlers/test_throttle.py -k callers_are_counted",
    ),
    Mutant(
        "a document type is accepted",
        f"{TRANSPORT}/xml.py",
        "    if root.getroottree().docinfo.internalDTD is not None:\n",
        "    if False:\n",
        "tests/transport/test_hostile_documents.py",
    ),
    Mutant(
        "a value ends at a comment",
        f"{TRANSPORT}/xml.py",
        "        remove_comments=True,",
        "        remove_comments=False,",
        "tests/transport/test_xml.py -k whole_value",
    ),
    Mutant(
        "a number that is none is a number",
        "xmlrpc_api/declaration/numbers.py",
        "    if len(text) > DOUBLE_LIMIT or not DECIMAL.fullmatch(text):\n",
        "    if len(text) > DOUBLE_LIMIT:\n",
        "tests/transport/test_xml.py -k does_not_allow",
    ),
    Mutant(
        "a half-sent request is held for ever",
        f"{TRANSPORT}/protocol.py",
        "        if not self.has_spoken:\n            self.force_close()\n",
        "        return\n",
        "tests/cli/test_slow_clients.py -k dripping_headers",
    ),
    Mutant(
        "bodies are kept without a budget",
        f"{TRANSPORT}/http.py",
        "        if count > self._left:\n",
        "        if False:\n",
        "tests/cli/test_slow_clients.py -k budget",
    ),
    Mutant(
        "a dead database is a bug of ours",
        "xmlrpc_api/storage/errors.py",
        "        return sqlstate(error).startswith(UNAVAILABLE_STATES)\n",
        "        return False\n",
        "tests/cli/test_outage.py -k read_only",
    ),
    Mutant(
        "one caller takes all turns",
        "xmlrpc_api/turns.py",
        "        if users >= self._limit + self._at_once:\n",
        "        if False:\n",
        "tests/handlers/test_turns.py",
    ),
    Mutant(
        "what is taken from a customer is all his reseller's",
        f"{SERVICES}/money/funding.py",
        "    return Money.unit * min(available, paid * part // whole)\n",
        "    return Money.unit * paid\n",
        "tests/handlers/test_funded.py",
    ),
    Mutant(
        "what came back may come back again",
        f"{SERVICES}/money/payments.py",
        "funded_change=-change)",
        "funded_change=max(NOTHING, -change))",
        "tests/handlers/test_funded.py",
    ),
    Mutant(
        "a transfer multiplies what may come back",
        f"{SERVICES}/money/payments.py",
        "dataclasses.replace(taken, funded_change=-moved)",
        "taken",
        "tests/handlers/test_funded.py -k transfer",
    ),
    Mutant(
        "anybody's rights can be lent",
        f"{SERVICES}/tree/references.py",
        '"customers.impersonate": LENDERS,',
        '"customers.impersonate": EVERYBODYS,',
        "tests/test_escalation.py",
    ),
    Mutant(
        "who is limited makes the limit",
        f"{SERVICES}/tree/quotas.py",
        "    least = LIMITING.get(name, CUSTOMER)\n",
        "    least = CUSTOMER\n",
        "tests/test_escalation.py",
    ),
    Mutant(
        "a limit is lifted from below",
        f"{SERVICES}/tree/limits.py",
        "        return self._place(caller.i_customer) <= self._place(setter)\n",
        "        return True\n",
        "tests/test_escalation.py",
    ),
    Mutant(
        "a network around an address of another tree is not seen",
        f"{SERVICES}/accounts/auth_rules.py",
        "AuthRule.first_address.in_(sorted(around))",
        "AuthRule.first_address.in_([])",
        "tests/handlers/test_auth_rules.py -k network",
    ),
    Mutant(
        "an address of another tree may be asked for",
        f"{SERVICES}/accounts/auth_rules.py",
        "_overlaps(network), not_(same))",
        "_overlaps(network), same)",
        "tests/handlers/test_auth_rules.py -k AnotherTree",
    ),
    Mutant(
        "rules for one address are made at once",
        f"{SERVICES}/accounts/auth_rules.py",
        "    await call.session.execute(_HOLDING)\n",
        "    await call.session.execute(select(1))\n",
        "tests/handlers/test_auth_rules.py -k at_once",
    ),
    Mutant(
        "a network is everybody's to set",
        f"{SERVICES}/accounts/auth_rules.py",
        "if not resellers.is_admin(call) and (network.num_addresses > 1 or _is_special(network)):",
        "if not resellers.is_admin(call) and _is_special(network):",
        "tests/handlers/test_auth_rules.py -k Grant",
    ),
    Mutant(
        "a rule is compared by the address that it had",
        f"{SERVICES}/accounts/auth_rules.py",
        "        records.assign(call, rule, _span(values))\n",
        "",
        "tests/handlers/test_auth_rules.py -k moved",
    ),
    Mutant(
        "what belongs to another account is changed",
        f"{SERVICES}/accounts/account_belongings.py",
        "select(self.model).where(self._account == i_account, self._name == name)",
        "select(self.model).where(self._name == name)",
        "tests/handlers/test_account_features.py -k another_account",
    ),
    Mutant(
        "a caller number is found whosever it is",
        f"{SERVICES}/accounts/features.py",
        "CliMapping.i_customer == i_customer, CliMapping.cli == cli, reach",
        "CliMapping.cli == cli",
        "tests/handlers/test_account_features.py -k bound",
    ),
    Mutant(
        "a customer gives himself a route",
        f"{SERVICES}/extended_routing.py",
        "ownership.within(call.caller, Reach.CHILDREN))",
        "ownership.within(call.caller, Reach.CHILDREN_AND_SELF))",
        "tests/handlers/test_extended_routing.py -k himself",
    ),
    Mutant(
        "a trusted host is added by whoever manages the system",
        f"{SERVICES}/trusted_hosts.py",
        "    if not resellers.is_admin(call):\n",
        "    if not call.caller.system_mgmt:\n",
        "tests/access/test_trusted_rows.py -k root_alone",
    ),
    Mutant(
        "a trusted host trusts another",
        f"{SERVICES}/trusted_hosts.py",
        "    if call.origin.login is None:\n",
        "    if False:\n",
        "tests/access/test_trusted_rows.py -k without_credentials",
    ),
    Mutant(
        "a trusted host is a proxy by now",
        f"{SERVICES}/trusted_hosts.py",
        "if network is not None and not _is_proxys(network, config)}",
        "if network is not None}",
        "tests/access/test_trusted_rows.py -k left_out",
    ),
    Mutant(
        "a host is trusted for as long as the process lives",
        "xmlrpc_api/access/trusted_hosts.py",
        "KEEPS_SECONDS = 0.5",
        "KEEPS_SECONDS = 500",
        "tests/access/test_trusted_rows.py -k any_more",
    ),
    Mutant(
        "an expired rate lets the one before it count again",
        f"{SERVICES}/catalogue/rate_search.py",
        "_RATES.c.activation_date <= _AT)\n",
        "_RATES.c.activation_date <= _AT, or_(_RATES.c.expiration_date.is_(None), _RATES.c.expiration_date > _AT))\n",
        "tests/handlers/test_quotes.py -k longest",
    ),
    Mutant(
        "who asks what a call costs is told what those above pay",
        f"{SERVICES}/catalogue/quotes.py",
        "            return\n\n\nasync def _hide(",
        "            pass\n\n\nasync def _hide(",
        "tests/handlers/test_quotes.py -k above",
    ),
    Mutant(
        "a change of many rates takes what is forged for the truth",
        f"{SERVICES}/verification/rate_proof.py",
        '            self.sum.join((after or {})["rates_sum"])\n',
        '            self.sum.restart()\n            self.sum.join((after or {})["rates_sum"])\n',
        "tests/handlers/test_rates_of_many.py -k upload",
    ),
    Mutant(
        "the price of a call is rounded before its surcharge",
        f"{SERVICES}/catalogue/pricing.py",
        "    parts = EXACT.multiply(parts, EXACT.add(HUNDRED, terms.post_call_surcharge))\n",
        "    parts = parts.quantize(Decimal(1).scaleb(-PLACES), ROUND_HALF_EVEN, EXACT)\n"
        "    parts = EXACT.multiply(parts, EXACT.add(HUNDRED, terms.post_call_surcharge))\n",
        "tests/catalogue/test_pricing.py",
    ),
)


def is_noticed(mutant: Mutant) -> bool | None:
    """Whether a test fails; None if the defect cannot be made."""
    with tempfile.TemporaryDirectory(prefix="mutant-") as name:
        copy = Path(name)
        copy.chmod(0o755)
        for part in COPIED:
            source = ROOT / part
            if source.is_dir():
                shutil.copytree(source, copy / part, ignore=shutil.ignore_patterns("__pycache__"))
            else:
                shutil.copy(source, copy / part)
        file = copy / mutant.file
        text = file.read_text()
        for old, new in ((mutant.old, mutant.new), *mutant.also):
            if old not in text:
                return None
            text = text.replace(old, new)
        file.write_text(text)
        command = [sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *mutant.tests.split()]
        try:
            done = subprocess.run(command, cwd=copy, capture_output=True, text=True, timeout=SECONDS, check=False)
        except subprocess.TimeoutExpired:
            return True
        if done.returncode not in (0, 1):
            sys.stderr.write(done.stdout[-2000:] + done.stderr[-2000:])
            return None
        return done.returncode == 1 and "ImportError" not in done.stdout and "SyntaxError" not in done.stdout


def main() -> int:
    """Try them all, or those that are named."""
    console = Console()
    chosen = [mutant for mutant in MUTANTS if not sys.argv[1:] or mutant.name in sys.argv[1:]]
    survived = 0
    for number, mutant in enumerate(chosen, 1):
        outcome = is_noticed(mutant)
        survived += outcome is not True
        shown = {True: "noticed", False: "[bold red]SURVIVED[/]", None: "[bold red]CANNOT BE MADE[/]"}[outcome]
        console.print(f"{number:3}/{len(chosen)} {mutant.name}: {shown} [dim]{mutant.tests}[/dim]")
    console.print(f"{len(chosen) - survived} of {len(chosen)} noticed")
    return min(survived, 1)


if __name__ == "__main__":
    sys.exit(main())
