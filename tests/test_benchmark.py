"""What the benchmark says of what it has measured: a goal is held by a whole interval, and by right answers alone."""

import http.server
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from benchmarks import load
from benchmarks.calls import Call, request
from benchmarks.judging import Interval, Question, State, at_least, at_most, includes_at_most, interval, judge
from benchmarks.laboratory import each
from benchmarks.load import Load, problem_of
from benchmarks.measuring import Ratio, Result, Sample, server_cpu
from benchmarks.servers import UnmeasurableError

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2"


def sample(server: float, database: float) -> Sample:
    return Sample(rate=1.0, server=server, database=database, p50=0.0, p99=0.0)


class TestIntervals:
    def test_it_is_students(self) -> None:
        """Of 1, 2, 4, 8 and 16: the mean logarithm is 2 log 2, its deviation 1.5811 log 2, and t is 2.776."""
        found = interval([1, 2, 4, 8, 16])

        assert found.mean == pytest.approx(4)
        assert found.low == pytest.approx(4 * 2 ** (-2.776 * 1.5811388 / 5**0.5))
        assert found.high == pytest.approx(4 * 2 ** (2.776 * 1.5811388 / 5**0.5))

    def test_rounds_that_agree_leave_no_doubt(self) -> None:
        found = interval([3.0, 3.0])

        assert (found.mean, found.low, found.high) == pytest.approx((3, 3, 3))

    @pytest.mark.parametrize("ratios", [[], [2.0], [1.0] * 13, [1.0, 0.0], [1.0, float("nan")], [1.0, float("inf")]])
    def test_what_cannot_be_judged_is_no_interval(self, ratios: list[float]) -> None:
        with pytest.raises(ValueError, match=r"rounds|ratio"):
            interval(ratios)


class TestGoals:
    @pytest.mark.parametrize(
        ("goal", "found", "state"),
        [
            (at_least(3), Interval(4, 3.0, 5), State.HELD),
            (at_least(3), Interval(4, 2.9, 5), State.MISSED),
            (at_most(2), Interval(1, 0.5, 2.0), State.HELD),
            (at_most(2), Interval(1, 0.5, 2.1), State.MISSED),
            (includes_at_most(1.05), Interval(1.2, 1.05, 1.4), State.HELD),
            (includes_at_most(1.05), Interval(1.2, 1.06, 1.4), State.MISSED),
            (None, Interval(1, 1, 1), State.SHOWN),
        ],
    )
    def test_the_whole_interval_holds_it_or_it_is_missed(self, goal: Any, found: Interval, state: State) -> None:
        assert judge(goal, found) is state

    def test_postgresqls_cpu_counts_unless_the_servers_alone_is_asked_for(self) -> None:
        rounds = {"ours": [sample(1, 1)] * 2, "theirs": [sample(2, 6)] * 2}

        assert Ratio("ours", "theirs", None).of(rounds) == [4, 4]
        assert Ratio("ours", "theirs", None, is_cost=True).of(rounds) == [0.25, 0.25]
        assert Ratio("ours", "theirs", None, cost=server_cpu).of(rounds) == [2, 2]

    def test_a_ratio_is_of_the_same_round(self) -> None:
        rounds = {"ours": [sample(1, 0), sample(2, 0)], "theirs": [sample(3, 0), sample(8, 0)]}

        assert Ratio("ours", "theirs", None).of(rounds) == [3, 4]

    def test_without_cpu_there_is_no_ratio(self) -> None:
        with pytest.raises(UnmeasurableError, match="too short"):
            Ratio("ours", "theirs", None).of({"ours": [sample(0, 0)], "theirs": [sample(1, 0)]})

    def test_of_a_case_that_failed_every_goal_failed(self) -> None:
        result = Result()
        result.add(Question("a", "b", "CPU", at_least(1)), Interval(2, 2, 2))

        result.fail("a fault", [Question("a", "b", "CPU", at_least(1)), Question("c", "d", "CPU", None)])

        assert [(verdict.what, verdict.state, verdict.mean) for verdict in result.verdicts] == [
            ("a", "FAILED", None),
            ("c", "FAILED", None),
        ]
        assert result.failed == "a fault"


class TestAnswers:
    @pytest.mark.parametrize(
        ("head", "body", "problem"),
        [
            (OK, b"<value>customer-7</value>", None),
            (OK, b"<value>customer-8</value>", "wrong answer"),
            (OK, b"<methodResponse><fault><value>customer-7", "fault"),
            (OK, b'{"faultCode": 404, "faultString": "customer-7"}', "fault"),
            (OK, b"<e:Envelope><e:Body><e:Fault>customer-7", "fault"),
            (b"HTTP/1.1 401 Unauthorized", b"customer-7", "HTTP 401"),
            (b"HTTP/1.1 503 Service Unavailable", b"", "HTTP 503"),
        ],
    )
    def test_each_is_looked_into(self, head: bytes, body: bytes, problem: str | None) -> None:
        assert problem_of(head, body, b"customer-7") == problem

    def test_one_wrong_answer_is_a_complaint(self) -> None:
        found = Load(1000, 1.0, 0.1, 0.2, {"fault": 1, "time-out": 2}, "fault 404")

        assert found.complaint == "fault: 1, time-out: 2 (beside 1000 answers in all); the first: fault 404"
        assert Load(1000, 1.0, 0.1, 0.2).complaint is None
        assert Load(0, 1.0, 0.0, 0.0).complaint == "nothing was answered"


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers what it is told to: the path is the answer, "silent" is none."""

    protocol_version = "HTTP/1.1"
    released = threading.Event()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if body == b"silent":
            self.released.wait(30)
            self.close_connection = True
            return
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        if body.startswith(b"close"):
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_arguments: Any) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    Handler.released.clear()
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        Handler.released.set()
        server.shutdown()
        thread.join()


def calls(port: int, *bodies: bytes) -> list[Call]:
    return [(request(port, "/", body), b"right") for body in bodies]


class TestLoad:
    def test_right_answers_are_counted_each_request_sent_once(self, port: int) -> None:
        found = load.run(port, calls(port, *[b"right"] * 50), 20, 4)

        assert (found.answers, found.complaint) == (50, None)

    def test_a_server_that_closes_is_asked_again(self, port: int) -> None:
        found = load.run(port, calls(port, *[b"close: right"] * 20), 20, 4)

        assert (found.answers, found.complaint) == (20, None)

    def test_faults_with_http_200_are_found(self, port: int) -> None:
        found = load.run(port, calls(port, b"right", b"<fault>right", b"right", b"wrong"), 20, 1)

        assert found.problems == {"fault": 1, "wrong answer": 1}
        assert found.example == "fault <fault>right"

    def test_what_is_never_answered_is_told_as_a_time_out(self, port: int, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("BENCH_TIMEOUT_SECONDS", "1")

        found = load.run(port, calls(port, b"right", b"silent"), 20, 1)

        assert found.problems == {load.TIMEOUT: 1}
        assert found.answers == 1

    def test_nobody_listens(self) -> None:
        assert load.run(1, calls(1, b"right"), 1, 1).problems == {load.LOST: 1}


def test_ids_are_all_different_and_of_the_whole_range() -> None:
    ids = each(3, 1000)

    first = [next(ids) for _ in range(1000)]
    assert sorted(first) == list(range(3, 1003))
    assert [next(ids) for _ in range(10)] == first[:10]
