"""One statement for each projection, parents first: where is each entity, where must it be, and what differs.

By definition (docs/design.md, section 4) an entity that lives is shown where all its parents are. What the events alone
do not tell is taken as it is found, as far as it makes sense: which of two holds a unique value (`contested`), what the
database refused (`refused`), what was erased after the grace (`erased`), which of several contents of one version came
first. Then the state must be right all the same, and what hangs on it is compared with what it found there. The same
holds for what is ahead of the positions (`ahead.py`).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from neon_projector.projections.contract.projection import Projection, Registry
from neon_projector.projections.sql.verify.tables import OPEN, UNTRIED, Scope, Side, all_of, as_state, names_of
from neon_projector.projections.state.packed import columns_of

GONE = "('deleted', 'erased', 'parent_deleted')"
"""Why a parent is not there, so that its children are hidden and not parked."""


@dataclass(frozen=True)
class Comparison:
    """The statements for one projection, in this order. `whole`: the topics have given all records up to the
    positions. Where they have not, what is found and can't be told is `unprovable`."""

    registry: Registry
    projection: Projection
    side: Side
    scope: Scope
    whole: bool

    def statements(self) -> Iterator[str]:
        """Make the table `places`."""
        if self.scope.has(self.projection):
            yield self._places()
            if self.scope.is_part(self.projection) and self.registry.children_of(self.projection.entity):
                outside = f"SELECT id, present, reason FROM {self._of('outside')}"
                yield f"INSERT INTO {self._of('places')} (id, present, reason) {outside}"
        elif self.registry.children_of(self.projection.entity):
            yield f"CREATE UNLOGGED TABLE {self._of('places')} AS SELECT * FROM {self._of('outside')}"

    def _places(self) -> str:
        """All entities but those that are in their table as they must be, and nowhere else."""
        return f"""CREATE UNLOGGED TABLE {self._of("places")} AS
            WITH chosen AS MATERIALIZED ({self._chosen()}),
            expected AS NOT MATERIALIZED (SELECT * FROM {self._of("expected")} UNION ALL SELECT * FROM chosen),
            seen AS ({self._seen()}),
            held AS ({self._with_holders()}),
            judged AS (SELECT *, {self._judgements()} FROM held)
            SELECT id, {self._present()} AS present, {self._reason()} AS reason, doubt, ahead, erased_right,
                stands_aside, given_up, has_e, has_r OR has_s AS is_there,
                version AS expected_version, r_version, s_version,
                {self._of_table()} AS of_table, {self._of_absent()} AS of_absent, row_differs, state_differs
            FROM judged"""

    def _of(self, name: str) -> str:
        return self.side.of(self.projection, name)

    def _chosen(self) -> str:
        """Of each entity that may be in several states: the one it is found in, or else any."""
        columns = columns_of(self.projection)
        row = all_of(f"r.{c} IS NOT DISTINCT FROM v.{c}" for c in ("version", *columns))
        return f"""SELECT DISTINCT ON (v.id) v.* FROM {self._of("several")} v
            LEFT JOIN {self._of("rows")} r ON r.id = v.id LEFT JOIN {self._of("states")} s ON s.id = v.id
            ORDER BY v.id, (v.alive AND {row}) DESC NULLS LAST,
                (s.version = v.version AND s.state IS NOT DISTINCT FROM {as_state(self.projection, "v")})
                DESC NULLS LAST"""

    def _seen(self) -> str:
        """The three sides, and of the parents whether they are there; without what is simply right."""
        columns, parents = columns_of(self.projection), self.projection.parents
        names = ", ".join(f"e.{c} AS e_{c}" for c in columns)
        joins = "".join(
            f""" LEFT JOIN {self._there(p.entity)} q{n} ON q{n}.id = e.{p.column}
                LEFT JOIN {self.side.of(self.registry[p.entity], "places")} f{n} ON f{n}.id = e.{p.column}"""
            for n, p in enumerate(parents)
        )
        there = [f"coalesce(f{n}.present, q{n}.id IS NOT NULL)" for n in range(len(parents))]
        found = "".join(
            f", {there[n]} AS there_{n}, coalesce(f{n}.reason IN {GONE}, false) AS gone_{n}"
            for n in range(len(parents))
        )
        same = f"r.version = e.version AND {all_of(f'r.{c} IS NOT DISTINCT FROM e.{c}' for c in columns)}"
        right = all_of(["e.alive", "e.doubt = 0", "s.id IS NULL", same, *there])
        different = names_of([("version", "r.version", "e.version"), *((c, f"r.{c}", f"e.{c}") for c in columns)])
        return f"""
            SELECT coalesce(e.id, r.id, s.id) AS id, e.id IS NOT NULL AS has_e, r.id IS NOT NULL AS has_r,
                s.id IS NOT NULL AS has_s, e.version, e.base, e.alive, coalesce(e.doubt, 0) AS doubt,
                r.version AS r_version, s.version AS s_version, s.reason AS s_reason, s.waiting_for, s.state,
                coalesce(s.forgotten, false) AND r.id IS NULL AS forgotten,
                coalesce({same}, false) AS row_same, {different} AS row_differs,
                {as_state(self.projection, "e")} AS e_state, {names} {found}
            FROM (expected e FULL JOIN {self._of("rows")} r USING (id))
            FULL JOIN {self._of("states")} s USING (id) {joins}
            WHERE ({right}) IS NOT TRUE"""

    def _there(self, parent: str) -> str:
        """The ids that its table has."""
        projection = self.registry[parent]
        return self.side.of(projection, "there" if self.scope.is_part(projection) else "rows")

    def _with_holders(self) -> str:
        """Whether another entity has, or must have, the unique value that an entity wants."""
        unique = self.projection.unique
        if not unique:
            return "SELECT *, false AS held FROM seen"
        others = [self._of("holders")] if self.scope.ids else []
        held = " UNION ".join(
            f"""SELECT w.id FROM seen w JOIN {other} o ON o.{c} = w.e_{c} AND o.id <> w.id
                WHERE w.alive {"AND o.alive" if other == "expected" else ""}"""
            for c in unique
            for other in (self._of("rows"), "expected", *others)
        )
        return f"SELECT *, id IN ({held}) AS held FROM seen"

    def _judgements(self) -> str:
        aside = "has_s AND NOT coalesce(has_r AND r_version >= version, false)"
        content = "s_version = version AND state IS NOT DISTINCT FROM e_state"
        parents = range(len(self.projection.parents))
        wanted = f"coalesce(alive, false) AND {all_of(f'there_{n}' for n in parents)}"
        waits = [
            f"(waiting_for = e_{p.column} AND NOT there_{n} AND s_reason = "
            f"CASE WHEN gone_{n} THEN 'parent_deleted' ELSE 'no_parent' END)"
            for n, p in enumerate(self.projection.parents)
        ]
        reasons = ["'refused'", *(["'contested'"] if self.projection.unique else [])]
        erased = "s_reason = 'erased' AND alive AND state IS NULL AND s_version BETWEEN base AND version"
        state_differs = names_of([
            ("version", "s_version", "version"),
            *((c, f"state -> '{c}'", f"e_state -> '{c}'") for c in columns_of(self.projection)),
        ])  # fmt: skip
        return f"""
            {wanted} AS wanted, {aside} AS aside, coalesce({content}, false) AS content_same,
            has_e AND NOT has_r AND NOT has_s AND id IN (SELECT id FROM {self.side.discarded}) AS given_up,
            (forgotten OR coalesce({erased}, false) {"" if parents else "AND false"}) AS erased_right,
            {wanted} AND {aside} AND s_reason IN ({", ".join(reasons)}) AS stands_aside,
            CASE WHEN alive THEN {" OR ".join(waits) or "false"}
                ELSE s_reason = 'deleted' AND waiting_for IS NULL END AS waits_right,
            id IN (SELECT id FROM {self._of("ahead")}) AS ahead, {state_differs} AS state_differs"""

    def _lost(self, version: str) -> str:
        """A condition: records that can't be read may be what made this version."""
        return "false" if self.whole else f"coalesce({version} > version, NOT has_e)"

    def _present(self) -> str:
        """Whether children find it: as it must be, or as it is found where the topics don't tell."""
        return f"""CASE WHEN ahead OR doubt >= {OPEN} OR {self._lost("coalesce(r_version, s_version)")} THEN has_r
            WHEN NOT has_e THEN false WHEN erased_right THEN false
            WHEN stands_aside OR given_up THEN has_r ELSE wanted END"""

    def _reason(self) -> str:
        """Why it is not present, for its children."""
        gone = " OR ".join(f"(NOT there_{n} AND gone_{n})" for n in range(len(self.projection.parents)))
        hidden = (
            f"CASE WHEN waits_right THEN s_reason WHEN {gone or 'false'} THEN 'parent_deleted' ELSE 'no_parent' END"
        )
        return f"""CASE WHEN ahead OR doubt >= {OPEN} OR NOT has_e THEN s_reason WHEN erased_right THEN 'erased'
            WHEN NOT alive THEN 'deleted' WHEN stands_aside THEN s_reason WHEN wanted THEN NULL ELSE {hidden} END"""

    def _of_table(self) -> str:
        """What is wrong with its row."""
        kept = "aside AND content_same"
        return f"""CASE WHEN doubt = {UNTRIED} AND (has_r OR NOT has_s) THEN 'unprovable'
            WHEN doubt >= {OPEN} THEN NULL
            WHEN {self._lost("r_version")} THEN CASE WHEN has_r THEN 'unprovable' END
            WHEN {self._lost("s_version")} THEN NULL
            WHEN NOT has_e OR NOT wanted OR erased_right THEN CASE WHEN has_r THEN 'unexpected' END
            WHEN row_same OR stands_aside OR {kept} OR given_up OR {self._must_be_contested()} THEN NULL
            WHEN has_r THEN 'different' WHEN has_s THEN NULL ELSE 'missing' END"""

    def _of_absent(self) -> str:
        """What is wrong with its state kept aside."""
        return f"""CASE WHEN doubt = {UNTRIED} AND has_s AND NOT forgotten THEN 'unprovable'
            WHEN doubt >= {OPEN} OR forgotten THEN NULL
            WHEN has_s AND {self._lost("s_version")} THEN 'unprovable'
            WHEN {self._lost("r_version")} AND has_r THEN NULL
            WHEN NOT has_e THEN CASE WHEN has_s THEN 'unexpected' END
            WHEN erased_right OR given_up THEN NULL
            WHEN wanted THEN CASE
                WHEN {self._must_be_contested()} THEN 'missing'
                WHEN NOT has_s THEN NULL
                WHEN stands_aside AND content_same AND (s_reason <> 'contested' OR held) THEN NULL
                WHEN has_r AND NOT (aside AND content_same) AND NOT stands_aside THEN 'unexpected'
                ELSE 'different' END
            WHEN NOT has_s THEN 'missing'
            WHEN content_same AND waits_right THEN NULL ELSE 'different' END"""

    def _must_be_contested(self) -> str:
        """Nothing is kept aside, the row is not the newest state, and another has its unique value."""
        return "(held AND NOT has_s AND NOT row_same AND coalesce(r_version < version, true))"
