"""What tells a system to run a device in the background: a systemd unit, a launchd agent, a scheduled task. Pure.

All three start the device when its user logs in, and start it again when it failed, with pauses and within limits, but
not when it ended by its owner's choice (exit code 0). None of them holds a secret: those are in the enrolment's file.
"""

import plistlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import PurePath
from xml.etree import ElementTree

#: What the service is called by systemd, by launchd and by Windows.
UNIT, LABEL, TASK = "starai-worker.service", "org.starai.worker", r"StarAI\worker"
#: Seconds before a device that failed is started again.
PAUSE = 30
#: So often it is started within so many seconds; then whoever looks after it must.
STARTS, WITHIN = 5, 600
#: Seconds beyond its grace that a device gets to end.
SLACK = 15

_NAMESPACE = "http://schemas.microsoft.com/windows/2004/02/mit/task"


@dataclass(frozen=True)
class Service:
    """A device in the background.

    Attributes:
        executable: the absolute path of ``starai-worker``.
        enrolment: the absolute path of the enrolment's file.
        grace: seconds that running tasks get when the system ends it.
        log: the file for what it says, where the system keeps no journal.
        environment: the variables that it needs; no secrets.
    """

    executable: PurePath
    enrolment: PurePath
    grace: float
    log: PurePath
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def command(self) -> list[str]:
        """The executable and its arguments."""
        return [str(self.executable), "start", "--enrolment", str(self.enrolment), "--grace", f"{self.grace:g}"]


def systemd_unit(service: Service) -> str:
    """Return the unit for systemd's manager of one user.

    SIGTERM goes to the device alone (``mixed``): its models would else end before their tasks do.
    """
    environment = "".join(
        f"Environment={_quoted(f'{name}={value}')}\n" for name, value in sorted(service.environment.items())
    )
    command = " ".join(_quoted(word.replace("$", "$$")) for word in service.command)
    return f"""\
[Unit]
Description=StarAI device
StartLimitIntervalSec={WITHIN}
StartLimitBurst={STARTS}

[Service]
ExecStart={command}
{environment}Restart=on-failure
RestartSec={PAUSE}
KillMode=mixed
TimeoutStopSec={service.grace + SLACK:g}
UMask=0077
NoNewPrivileges=yes

[Install]
WantedBy=default.target
"""


def launchd_agent(service: Service) -> bytes:
    """Return the agent for launchd. It has a pause between two starts and no limit to their number."""
    return plistlib.dumps(
        {
            "Label": LABEL,
            "ProgramArguments": service.command,
            "EnvironmentVariables": dict(sorted(service.environment.items())),
            "RunAtLoad": True,
            "KeepAlive": {"SuccessfulExit": False},
            "ThrottleInterval": PAUSE,
            "ExitTimeOut": int(service.grace + SLACK),
            "Umask": 0o077,
            "StandardOutPath": str(service.log),
            "StandardErrorPath": str(service.log),
        }
    )


def windows_task(service: Service, user: str) -> str:
    """Return the task for Windows' Task Scheduler, for that user, while they are logged in.

    Its own conditions on battery and idleness are off: the owner's preferences decide that.
    """
    task = ElementTree.Element("Task", {"version": "1.2", "xmlns": _NAMESPACE})
    _add(task, "RegistrationInfo", {"Description": "StarAI device"})
    _add(_add(task, "Triggers"), "LogonTrigger", {"Enabled": "true", "UserId": user})
    principal = _add(
        _add(task, "Principals"),
        "Principal",
        {"UserId": user, "LogonType": "InteractiveToken", "RunLevel": "LeastPrivilege"},
    )
    principal.set("id", "Author")
    settings = {
        "MultipleInstancesPolicy": "IgnoreNew",
        "DisallowStartIfOnBatteries": "false",
        "StopIfGoingOnBatteries": "false",
        "RunOnlyIfIdle": "false",
        "ExecutionTimeLimit": "PT0S",
    }
    restart = _add(_add(task, "Settings", settings), "RestartOnFailure")
    restart.extend(_text_elements({"Interval": "PT1M", "Count": str(STARTS)}))  # a minute is its shortest interval
    actions = _add(task, "Actions")
    actions.set("Context", "Author")
    command, *arguments = service.command
    _add(actions, "Exec", {"Command": command, "Arguments": " ".join(map(_windows_quoted, arguments))})
    ElementTree.indent(task)
    return '<?xml version="1.0" encoding="UTF-16"?>\n' + ElementTree.tostring(task, "unicode") + "\n"


def _quoted(word: str) -> str:
    """Return a word as systemd reads it back: quoted, with its specifiers doubled."""
    return '"' + word.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%") + '"'


def _windows_quoted(word: str) -> str:
    return f'"{word}"' if " " in word or not word else word


def _add(parent: ElementTree.Element, tag: str, texts: Mapping[str, str] | None = None) -> ElementTree.Element:
    element = ElementTree.SubElement(parent, tag)
    element.extend(_text_elements(texts or {}))
    return element


def _text_elements(texts: Mapping[str, str]) -> list[ElementTree.Element]:
    elements = []
    for tag, text in texts.items():
        element = ElementTree.Element(tag)
        element.text = text
        elements.append(element)
    return elements
