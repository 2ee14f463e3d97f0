"""Ports of servers of our own: never one twice, whoever asks at the same time."""

import os
import socket
import subprocess
import sys

from neon_projector.consumer.demo.servers.ports import BLOCKS, free_port

ASKS = "from neon_projector.consumer.demo.servers.ports import free_port\nprint([free_port() for _ in range(150)])\n"


def test_processes_that_ask_at_once_are_given_different_ones() -> None:
    asking = [
        subprocess.Popen(
            [sys.executable, "-ic", ASKS], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        for _ in range(3)
    ]  # each goes on until its input ends, so that all of them hold what they were given
    lines = [process.stdout.readline() for process in asking if process.stdout]
    for process in asking:
        process.communicate()
    given = [port for line in lines for port in eval(line)]
    assert len(set(given)) == len(given) == 450


def test_a_process_that_was_forked_off_is_given_others() -> None:
    ours, (reading, writing) = {free_port() for _ in range(20)}, os.pipe()
    child = os.fork()
    if child == 0:
        os.write(writing, repr([free_port() for _ in range(20)]).encode())
        os._exit(0)
    os.waitpid(child, 0)
    assert ours.isdisjoint(eval(os.read(reading, 10_000)))


def test_one_where_somebody_listens_is_left_out() -> None:
    with socket.socket() as somebody:
        somebody.bind(("127.0.0.1", free_port()))
        taken = somebody.getsockname()[1]
        assert taken not in {free_port() for _ in range(2 * BLOCKS.step)}
