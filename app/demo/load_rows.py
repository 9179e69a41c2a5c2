"""Synthetic cases as the text that PostgreSQL's COPY reads, made in chunks so that memory stays flat."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from app.demo.copy_lines import NULL, as_bytes, line, new_id, text
from app.demo.draws import Draws, code_in
from app.demo.invented import person, summary, villages_of
from app.demo.load_people import LoadPeople
from app.demo.load_shares import (
    INCIDENT,
    PLANNED,
    PRIORITIES,
    REASONS,
    RISKS,
    SENSITIVE,
    STANDARD,
    WITH_COLLEAGUE,
    WITH_INCIDENT,
    WITH_LIAISON,
    Seat,
    Shares,
    status_of,
)
from app.demo.places import COMMUNES
from app.models.case import CasePrivate, Closure, today_band
from app.models.codes.cases import CaseStatus, Category, ClosureReason, Outcome
from app.sealing.data_key import DataKey, new_key
from app.sealing.key_encryption import KeyEncryption
from app.search_tokens import SearchTokens
from app.services.people import private_of

CHUNK = 5_000
DAYS = 3 * 365
REVIEW = timedelta(days=8)
CLIENTS = 700  # different people of each commune; names repeat, as they do in villages
TEXTS = 40  # different private parts of the cases of one category, village and closure

COLUMNS: dict[str, str] = {
    "cases": "id, version, created_at, updated_at, code, organisation_id, category, sensitivity, status,"
    " priority, risk_level, commune_code, client_id, client_sex, client_age_band, lead_id, opened_at,"
    " closed_at, next_due_at, closure_reason, outcome, closure_requested_by, team_version, created_by,"
    " sealed",
    "people": "id, version, created_at, updated_at, organisation_id, case_id, role, sex, created_by, sealed",
    "assignments": "id, case_id, organisation_id, user_id, role, until, created_at, created_by",
    "consents": "id, version, created_at, updated_at, case_id, organisation_id, purpose, shared_fields,"
    " given_by, form, obtained_on, created_by",
    "follow_ups": "id, version, created_at, updated_at, case_id, organisation_id, due_at, assignee_id,"
    " created_by, sealed",
    "incidents": "id, version, created_at, updated_at, case_id, organisation_id, occurred_at, precision,"
    " created_by, sealed",
    "events": "id, case_id, organisation_id, type, audience, at, actor_id, data",
    "search_tokens": "person_id, case_id, organisation_id, sensitive, kind, token",
    "vault.data_keys": "home, case_id, organisation_id, kek_id, wrapped",
}

Lines = dict[str, list[str]]
Seal = Callable[[str, UUID, bytes], bytes]


@dataclass(frozen=True, slots=True)
class _Client:
    born: date | None
    sex: str
    private: bytes
    tokens: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class _Case:
    """What the rows of one case have in common; `day` counts from the first of the three years."""

    id: str
    client_id: str
    seat: Seat
    commune: str
    status: CaseStatus
    day: int
    opened: str


@dataclass(frozen=True, slots=True)
class LoadKeys:
    """What seals the rows, and what makes the tokens by which their people are found."""

    kek: KeyEncryption
    tokens: SearchTokens


class LoadRows:
    """The rows of one load; `today` is the day on which its three years end."""

    def __init__(self, seed: int, cases: int, people: LoadPeople, today: date, keys: LoadKeys) -> None:
        self.seed, self.cases, self.today, self.kek, self.tokens = seed, cases, today, keys.kek, keys.tokens
        self.draws = Draws(f"cases of load {seed}")
        self.shares = Shares(self.draws, cases, people)
        self.liaisons = {commune: tuple(user.id.hex for user in users) for commune, users in people.liaisons.items()}
        self.days = [today - timedelta(days=DAYS - number) for number in range(DAYS)]
        self.clients = {commune: [self._client(commune) for _ in range(CLIENTS)] for commune in COMMUNES}
        self.privates = {
            (category, closing): [self._private(category, closing) for _ in range(TEXTS)]
            for category in Category
            for closing in (None, *REASONS)
        }

    def chunks(self) -> Iterator[Lines]:
        """Lines by table, of at most CHUNK cases at a time; every line begins with its id."""
        for first in range(0, self.cases, CHUNK):
            lines: Lines = {table: [] for table in COLUMNS}
            for number in range(first, min(first + CHUNK, self.cases)):
                self._add(lines, number)
            yield lines

    def _add(self, lines: Lines, number: int) -> None:
        """One case with its client, opening, consents and assignments."""
        draws, seat, day = self.draws, self.shares.draw(), self.draws.randrange(DAYS)
        commune = draws.choice(COMMUNES)
        status = status_of(draws, seat, DAYS - day)
        case = _Case(new_id(draws), new_id(draws), seat, commune, status, day, self._at(self.days[day]))
        client = draws.choice(self.clients[commune])
        opened, office, lead = case.opened, seat.desk.organisation, seat.lead
        key, home = new_key(), UUID(case.id)
        lines["vault.data_keys"].append(
            line(case.id, case.id, office, self.kek.current, as_bytes(self.kek.wrap(key, home)))
        )
        seal = DataKey(key, home).seal_text
        is_open = status is not CaseStatus.CLOSED
        due = self._at(self.today + timedelta(days=draws.randint(-5, 20))) if is_open else NULL
        lines["cases"].append(self._case(number, case, client, due, seal))
        if is_open:
            self._plan(lines, case, due, seal)
        if seat.full_day and draws.chance(WITH_INCIDENT):
            self._tell_incident(lines, case, seal)
        lines["people"].append(
            line(
                case.client_id,
                "1",
                opened,
                opened,
                office,
                case.id,
                "client",
                client.sex,
                lead,
                as_bytes(seal("people", UUID(case.client_id), client.private)),
            )
        )
        sensitive = "t" if case.seat.sensitive else "f"
        lines["search_tokens"] += [line(case.client_id, case.id, office, sensitive, *token) for token in client.tokens]
        lines["events"].append(line(new_id(draws), case.id, office, "case.opened", "team", opened, lead, "{}"))
        self._add_access(lines, case)

    def _plan(self, lines: Lines, case: _Case, due: str, seal: Seal) -> None:
        """The next date, which every open case has."""
        own_id, lead = new_id(self.draws), case.seat.lead
        planned = (case.id, case.seat.desk.organisation, due, lead, lead)
        sealed = as_bytes(seal("follow_ups", UUID(own_id), PLANNED))
        lines["follow_ups"].append(line(own_id, "1", case.opened, case.opened, *planned, sealed))

    def _tell_incident(self, lines: Lines, case: _Case, seal: Seal) -> None:
        """Something that happened in the last days."""
        own_id, at = new_id(self.draws), self._at(self.days[DAYS - self.draws.randint(1, 3)])
        told = (case.id, case.seat.desk.organisation, at, "exact", case.seat.lead)
        sealed = as_bytes(seal("incidents", UUID(own_id), INCIDENT))
        lines["incidents"].append(line(own_id, "1", at, at, *told, sealed))

    def _case(self, number: int, case: _Case, client: _Client, due: str, seal: Seal) -> str:
        draws, seat, opened = self.draws, case.seat, case.opened
        category = draws.one_of(SENSITIVE if seat.sensitive else STANDARD)
        is_closed = case.status is CaseStatus.CLOSED
        closing = draws.choice(REASONS) if is_closed or case.status is CaseStatus.CLOSURE_REQUESTED else None
        closed = self._at(self.days[min(DAYS - 1, case.day + draws.randint(20, 150))]) if is_closed else NULL
        ending = (closing, "improved", seat.lead) if closing else (NULL, NULL, NULL)
        first = (case.id, "1", opened, closed if is_closed else opened, code_in(self.seed, number))
        kind = (
            category,
            "sensitive" if seat.sensitive else "standard",
            case.status,
            draws.one_of(PRIORITIES),
        )
        about = (case.client_id, client.sex, today_band(client.born, self.days[case.day]))
        times = (opened, closed, due)
        sealed = seal("cases", UUID(case.id), draws.choice(self.privates[category, closing]))
        return line(
            *first, seat.desk.organisation, *kind, draws.one_of(RISKS), case.commune, *about, seat.lead, *times,
            *ending, "1", seat.lead, as_bytes(sealed),
        )  # fmt: skip

    def _add_access(self, lines: Lines, case: _Case) -> None:
        """The lead and the consent to services; for some a colleague, a liaison with consent, a reviewer."""
        draws, seat = self.draws, case.seat
        self._consent(lines, case, "services")
        _assign(draws, lines, case, seat.lead, "lead")
        if draws.random() < WITH_COLLEAGUE:
            _assign(draws, lines, case, seat.colleague, "caseworker")
        if draws.random() < WITH_LIAISON:
            self._consent(lines, case, "ccwc_support")
            _assign(draws, lines, case, draws.choice(self.liaisons[case.commune]), "liaison")
        if case.status is CaseStatus.CLOSURE_REQUESTED:
            supervisor = draws.choice(seat.desk.supervisors)
            _assign(draws, lines, case, supervisor, "reviewer", self._at(self.today + REVIEW))

    def _consent(self, lines: Lines, case: _Case, purpose: str) -> None:
        office, lead, opened = case.seat.desk.organisation, case.seat.lead, case.opened
        given = (purpose, "[]", "client", "thumbprint", opened[:10])
        lines["consents"].append(line(new_id(self.draws), "1", opened, opened, case.id, office, *given, lead))

    def _at(self, day: date) -> str:
        """A moment of the working hours in Siem Reap, which are the same day in UTC."""
        return f"{day} {self.draws.randrange(1, 10):02}:{self.draws.randrange(60):02}:00+00"

    def _client(self, commune: str) -> _Client:
        invented = person(self.draws, self.draws.choice(villages_of(commune)), self.today)
        private = private_of(invented)
        tokens = self.tokens.of_person(private)
        pairs = tuple((kind.value, str(token)) for kind, found in tokens.items() for token in sorted(found))
        return _Client(invented.birth_date, invented.sex.value, text(private), pairs)

    def _private(self, category: Category, closing: ClosureReason | None) -> bytes:
        closure = closing and Closure(reason=closing, outcome=Outcome.IMPROVED, informed_can_return=True)
        return text(CasePrivate(summary=summary(self.draws, category), closure=closure).model_dump(mode="json"))


def _assign(draws: Draws, lines: Lines, case: _Case, user: str, role: str, until: str = NULL) -> None:
    seat = case.seat
    lines["assignments"].append(
        line(new_id(draws), case.id, seat.desk.organisation, user, role, until, case.opened, seat.lead)
    )
