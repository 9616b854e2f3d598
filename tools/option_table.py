# SPDX-License-Identifier: MIT
"""The options of the torc command, from the tables that it reads its arguments by: `torc --help=json`."""
import dataclasses
import json
import subprocess


@dataclasses.dataclass
class Option:
    name: str
    help: str
    letter: str = ""
    manual: str = ""
    argument: str = ""
    kind: str = ""
    may_lack_value: bool = False
    is_repeatable: bool = False
    words: tuple = ()

    @property
    def shown(self):
        """The argument as it is shown, without what says how often it may be written."""
        return self.argument.removesuffix("...")


@dataclasses.dataclass
class Command:
    name: str
    help: str
    groups: list  # of (title, topic, options)
    limits: list  # of objects

    @property
    def options(self):
        return [option for _, _, options in self.groups for option in options]

    @property
    def topics(self):
        return [topic for _, topic, _ in self.groups] + (["limits"] if self.limits else [])


def ask(*command):
    done = subprocess.run([str(part) for part in command], capture_output=True, text=True, timeout=60, check=True)
    return json.loads(done.stdout)


def read(torc):
    """The commands that have options, and the one that only shows them last."""
    for command in ask(torc, "--help=json")["commands"]:
        if command["name"] == "help":
            continue
        table = ask(torc, command["name"], "--help=json")
        groups = [(group["title"], group["topic"], [Option(**option) for option in group["options"]])
                  for group in table["groups"]]
        yield Command(command["name"], command["help"], groups, table["limits"])
