"""A real Apache Kafka (KRaft, one node) from Maven Central's jars, up in about two seconds."""

import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from neon_projector.consumer.demo.servers.ports import free_port
from tests.support.cache import cache

POM = Path(__file__).parent.parent / "kafka" / "pom.xml"
START_SECONDS = 120
SASL_USER, SASL_PASSWORD = "ada", "lovelace"
LOGIN_MODULE = "org.apache.kafka.common.security.plain.PlainLoginModule"

BRIEF = ("-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC")
"""Of a JVM that soon ends: to compile its code better, or collect in parallel, costs more than it saves until then."""

LISTENERS = """
listeners=PLAINTEXT://127.0.0.1:{port},SASL_PLAINTEXT://127.0.0.1:{sasl},CONTROLLER://127.0.0.1:{controller},\
  UNKNOWN://127.0.0.1:{unknown},CLOSED://127.0.0.1:{closed},SPOILT://127.0.0.1:{spoilt}
advertised.listeners=PLAINTEXT://127.0.0.1:{port},SASL_PLAINTEXT://127.0.0.1:{sasl},\
  UNKNOWN://broker.invalid:9092,CLOSED://127.0.0.1:1,SPOILT://broker..invalid:9092
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT,\
  UNKNOWN:PLAINTEXT,CLOSED:PLAINTEXT,SPOILT:PLAINTEXT
sasl.enabled.mechanisms=PLAIN
listener.name.sasl_plaintext.plain.sasl.jaas.config={login} required user_{user}="{password}";
"""
"""Of a broker of our own; a container has others."""

PROPERTIES = """
process.roles=broker,controller
node.id=1
controller.listener.names=CONTROLLER
controller.quorum.voters=1@127.0.0.1:{controller}
log.dirs={home}/log
auto.create.topics.enable=false
offsets.topic.replication.factor=1
offsets.topic.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=4
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
group.initial.rebalance.delay.ms=0
log.retention.ms=-1
log.cleaner.dedupe.buffer.size=2097152
"""


@dataclass
class LocalKafka:
    """A broker of our own on loopback."""

    home: Path
    port: int
    sasl_port: int
    """Where SASL/PLAIN is asked for."""
    misleading: dict[str, int] = field(default_factory=dict)
    """Ports where it gives as its own an address that is of no use: `unknown`, `closed`, `spoilt`."""
    jvm: Sequence[str] = BRIEF
    process: subprocess.Popen[bytes] | None = field(default=None)

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The process id, while it runs."""
        assert self.process is not None
        return self.process.pid

    def start(self) -> None:
        with (self.home / "out").open("ab") as out:
            self.process = subprocess.Popen(
                java("kafka.Kafka", str(self.home / "server.properties"), jvm=self.jvm),
                stdout=out,
                stderr=out,
                cwd=self.home,
            )
        deadline = time.monotonic() + START_SECONDS
        while not listening(self.port):
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Kafka did not start:\n{(self.home / 'out').read_text()[-2000:]}")
            time.sleep(0.05)

    def move(self, port: int) -> None:
        """Stop, and start with the same log where only `port` is listened at."""
        self.stop()
        properties = self.home / "server.properties"
        properties.write_text(
            properties.read_text().replace(f"PLAINTEXT://127.0.0.1:{self.port}", f"PLAINTEXT://127.0.0.1:{port}")
        )
        self.port = port
        self.start()

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
            self.process = None


@contextmanager
def local_kafka(jvm: Sequence[str] = BRIEF, **others: str) -> Iterator[LocalKafka]:
    """Start a broker, with `others` for some of its properties (`_` for `.`). For what is measured, `jvm` is ().

    RuntimeError says what to install where there is no Java or Maven.
    """
    for program in ("java", "mvn"):
        if shutil.which(program) is None:
            raise RuntimeError(
                "no Kafka: set TEST_KAFKA_BOOTSTRAP_SERVERS, or start Docker, or install Java 17+ and Maven"
            )
    home = Path(tempfile.mkdtemp(prefix="projector-kafka-"))
    misleading = {name: free_port() for name in ("unknown", "closed", "spoilt")}
    kafka = LocalKafka(home, free_port(), free_port(), misleading, jvm)
    ports = {"port": kafka.port, "sasl": kafka.sasl_port, "controller": free_port()} | misleading
    login = {"login": LOGIN_MODULE, "user": SASL_USER, "password": SASL_PASSWORD}
    try:
        properties = (PROPERTIES + LISTENERS).format(**ports, **login, home=home)
        properties += "".join(f"{name.replace('_', '.')}={value}\n" for name, value in others.items())
        (home / "server.properties").write_text(properties)
        tool("kafka.tools.StorageTool", "format", "-t", "5L6g3nShT-eMCtK--X86sw", "-c", str(home / "server.properties"))
        kafka.start()
        yield kafka
    finally:
        kafka.stop()
        shutil.rmtree(home, ignore_errors=True)


def tool(main: str, *arguments: str) -> str:
    """Run one of Kafka's own tools; returns what it prints."""
    done = subprocess.run(java(main, *arguments), capture_output=True, text=True, check=False, timeout=60)
    if done.returncode != 0:
        raise RuntimeError(done.stdout + done.stderr)
    return done.stdout


def consumer_groups(bootstrap: str, group: str) -> dict[str, int]:
    """The lag of each partition of `group`, as kafka-consumer-groups.sh --describe tells it."""
    return {f"{row[1]}:{row[2]}": int(row[5]) for row in _describe(bootstrap, group)}


def group_members(bootstrap: str, group: str) -> int:
    """The number of members of `group` that the broker knows."""
    return len(_describe(bootstrap, group, "--members"))


def _describe(bootstrap: str, group: str, *options: str) -> list[list[str]]:
    main = "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand"
    printed = tool(main, "--bootstrap-server", bootstrap, "--describe", "--group", group, *options)
    return [line.split() for line in printed.splitlines() if line.startswith(group)]


@contextmanager
def other_client(bootstrap: str, group: str, topic: str) -> Iterator[None]:
    """Within, Kafka's own consumer is a member of `group` by the newer protocol (KIP-848)."""
    where = ("--bootstrap-server", bootstrap, "--group", group, "--topic", topic)
    newer = ("--consumer-property", "group.protocol=consumer")
    process = subprocess.Popen(
        java("org.apache.kafka.tools.consumer.ConsoleConsumer", *where, *newer),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        yield
    finally:
        process.kill()
        process.wait()


def java(main: str, *arguments: str, jvm: Sequence[str] = BRIEF) -> list[str]:
    return ["java", *jvm, "-Xmx512m", "-cp", f"{jars()}/*", main, *arguments]


def listening(port: int) -> bool:
    """Whether somebody on 127.0.0.1 accepts connections at `port`: Kafka does once it serves."""
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True


def jars(pom: Path = POM) -> Path:
    """The jars that `pom` names (Kafka's), brought by Maven once for each state of it."""
    with cache(pom.parent.name, pom, "lock") as kept:
        if not kept.exists():
            _bring(pom, kept)
    return kept


def _bring(pom: Path, kept: Path) -> None:
    with tempfile.TemporaryDirectory(dir=kept.parent) as fresh:
        copy = ["dependency:copy-dependencies", f"-DoutputDirectory={fresh}/jars", "-DincludeScope=runtime"]
        command = ["mvn", "-q", "-B", "-f", str(pom), *copy]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=600)
        if done.returncode != 0:
            raise RuntimeError(f"Maven could not bring the jars of {pom}:\n{done.stdout[-2000:]}")
        Path(fresh, "jars").rename(kept)
