#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Write what completes the torc command in a shell, from the table of its options.

    write_completions.py TORC bash|zsh|fish OUTPUT
"""
import pathlib
import sys

import option_table

HEAD = "# SPDX-License-Identifier: MIT\n# Completes torc; made by tools/write_completions.py from the options of torc itself.\n"


def limit_words(command):
    return [limit["name"] + "=" for limit in command.limits]


def values(command, option):
    """The words that complete a value, besides what its kind stands for."""
    if option.kind == "limit":
        return limit_words(command)
    if option.kind == "topic":
        return command.topics
    return list(option.words)


# ---- bash ----

BASH_KINDS = {
    "file": "compgen -f -- \"$current\"",
    "folder": "compgen -d -- \"$current\"",
    "user": "compgen -u -- \"$current\"",
    "group": "compgen -g -- \"$current\"",
}

BASH_END = r"""
_torc() {
    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} line
    COMPREPLY=()
    # `=` is a word of its own here.
    if [[ $current == '=' ]]; then
        current=
    elif [[ $previous == '=' ]]; then
        previous=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    while IFS= read -r line; do
        COMPREPLY+=("$line")
    done < <(_torc_words)
    case ${COMPREPLY[0]-} in
    *=) compopt -o nospace 2>/dev/null ;;
    esac
    case $previous in
    @FILES@) compopt -o filenames 2>/dev/null ;;
    esac
    return 0
}

complete -F _torc torc
"""


def bash_value(command, option):
    words = values(command, option)
    steps = [f"compgen -W '{' '.join(words)}' -- \"$current\""] if words else []
    steps += [BASH_KINDS[option.kind]] if option.kind in BASH_KINDS else []
    return "; ".join(steps) or ":"


def bash_command(command):
    yield f"    {command.name})"
    yield "        case $previous in"
    for option in command.options:
        if option.argument and not option.may_lack_value:
            yield f"        --{option.name}) {bash_value(command, option)} ;;"
        elif option.argument:
            names = f"--{option.name}" + (f" | -{option.letter}" if option.letter else "")
            yield f"        {names}) {bash_value(command, option)} ;;"
    names = " ".join(f"--{option.name}" for option in command.options)
    yield f"        *) compgen -W '{names}' -- \"$current\" ;;"
    yield "        esac"
    yield "        ;;"


def bash(commands):
    names = " ".join([command.name for command in commands])
    yield HEAD
    yield "# The words that may stand where the cursor is."
    yield "_torc_words() {"
    yield "    if ((COMP_CWORD == 1)); then"
    yield f"        compgen -W '{names} help --help --version' -- \"$current\""
    yield "        return"
    yield "    fi"
    yield "    case ${COMP_WORDS[1]} in"
    for command in commands:
        yield from bash_command(command)
    yield "    help)"
    yield "        if ((COMP_CWORD == 2)); then"
    yield f"            compgen -W '{names}' -- \"$current\""
    yield "        else"
    yield "            case ${COMP_WORDS[2]} in"
    for command in commands:
        yield f"            {command.name}) compgen -W '{' '.join(command.topics)}' -- \"$current\" ;;"
    yield "            esac"
    yield "        fi"
    yield "        ;;"
    yield "    esac"
    yield "}"
    files = {f"--{option.name}" for command in commands for option in command.options if option.kind in ("file", "folder")}
    yield BASH_END.rstrip("\n").replace("@FILES@", " | ".join(sorted(files)))


# ---- zsh ----

ZSH_KINDS = {"file": "_files", "folder": "_directories", "user": "_users", "group": "_groups"}


def zsh_text(text):
    """Text within single quotes, in a description of _arguments."""
    for letter in "\\[]:":
        text = text.replace(letter, "\\" + letter)
    return text.replace("'", "'\\''")


def zsh_action(command, option):
    words = values(command, option)
    kind = ZSH_KINDS.get(option.kind)
    if option.kind == "limit":
        return "{compadd -S \"\" -- " + " ".join(words) + "}"
    if words and kind:
        return f"{{compadd -- {' '.join(words)}; {kind}}}"
    if words:
        return f"({' '.join(words)})"
    return kind or " "


def zsh_option(command, option):
    many = "*" if option.is_repeatable else ""
    text = f"[{zsh_text(option.help)}]"
    value = ""
    if option.argument:
        lacking = ":" if option.may_lack_value else ""
        value = f":{lacking}{zsh_text(option.shown.strip('[]'))}:{zsh_action(command, option)}"
    names = [f"--{option.name}{'=' if option.argument else ''}"]
    if option.letter:
        names.append(f"-{option.letter}")
    for name in names:
        yield f"            '{many}{name}{text}{value}' \\"


def zsh(commands):
    yield "#compdef torc"
    yield HEAD
    yield "_torc() {"
    yield "    local -a commands"
    yield "    commands=("
    for command in commands:
        yield f"        '{command.name}:{zsh_text(command.help)}'"
    yield "        'help:show how a command is used'"
    yield "    )"
    yield "    if ((CURRENT == 2)); then"
    yield "        _describe -t commands command commands -- && return"
    yield "        _arguments '--help[show help]' '--version[show the version]'"
    yield "        return"
    yield "    fi"
    yield "    case $words[2] in"
    for command in commands:
        yield f"    {command.name})"
        yield "        words=(\"torc $words[2]\" \"${(@)words[3,-1]}\")"
        yield "        ((CURRENT--))"
        yield "        _arguments -S \\"
        lines = [line for option in command.options for line in zsh_option(command, option)]
        lines[-1] = lines[-1].removesuffix(" \\")
        yield from lines
        yield "        ;;"
    yield "    help)"
    yield "        if ((CURRENT == 3)); then"
    yield f"            compadd -- {' '.join(command.name for command in commands)}"
    yield "        else"
    yield "            case $words[3] in"
    for command in commands:
        yield f"            {command.name}) compadd -- {' '.join(command.topics)} ;;"
    yield "            esac"
    yield "        fi"
    yield "        ;;"
    yield "    esac"
    yield "}"
    yield ""
    yield "_torc \"$@\""


# ---- fish ----

FISH_KINDS = {"folder": "(__fish_complete_directories)", "user": "(__fish_complete_users)",
              "group": "(__fish_complete_groups)"}


def fish_text(text):
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def fish_option(command, option):
    words = values(command, option) + ([FISH_KINDS[option.kind]] if option.kind in FISH_KINDS else [])
    line = f"complete -c torc -n '__fish_seen_subcommand_from {command.name}; and not __fish_seen_subcommand_from help' -l {option.name}"
    line += f" -s {option.letter}" if option.letter else ""
    if option.argument:
        line += " -r" if option.kind == "file" else " -x"
        line += " -F" if option.kind == "file" else ""
        line += f" -a {fish_text(' '.join(words))}" if words else ""
    return f"{line} -d {fish_text(option.help)}"


def fish(commands):
    names = " ".join(command.name for command in commands)
    yield HEAD
    yield "complete -c torc -f"
    for command in commands:
        yield f"complete -c torc -n __fish_use_subcommand -a {command.name} -d {fish_text(command.help)}"
    yield "complete -c torc -n __fish_use_subcommand -a help -d 'show how a command is used'"
    yield "complete -c torc -n __fish_use_subcommand -l help -s h -d 'show help'"
    yield "complete -c torc -n __fish_use_subcommand -l version -s V -d 'show the version'"
    yield f"complete -c torc -n '__fish_seen_subcommand_from help; and not __fish_seen_subcommand_from {names}' -a '{names}'"
    for command in commands:
        topics = " ".join(command.topics)
        yield f"complete -c torc -n '__fish_seen_subcommand_from help; and __fish_seen_subcommand_from {command.name}' -a '{topics}'"
        for option in command.options:
            yield fish_option(command, option)


def main():
    torc, shell, output = sys.argv[1:]
    commands = list(option_table.read(torc))
    lines = {"bash": bash, "zsh": zsh, "fish": fish}[shell](commands)
    pathlib.Path(output).write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
