"""The worker on Azure Functions: triggers, each of them one call into the engine.

The platform delivers the queue's messages, counts their tries and moves them to poison. What the engine sends itself,
such as the rest of a run, goes through its own client to the same queue, because an output binding can't delay a
message. Everything here is made once for each process.
"""

import logging
from contextlib import AbstractContextManager
from pathlib import Path

import azure.functions as func
from vault import prepare_environment

from worker.exporters import Telemetry, set_up_telemetry
from worker.logs import Masked
from worker.telemetry import attach_parent
from worker.web.app import create_app
from worker.wiring import Host, build_host

SETTINGS = Path(__file__).with_name("settings.toml")  # there when it was built with --settings


def _start() -> Host:
    """Telemetry goes where the settings say. Log lines go on to the platform's own handlers, without secrets."""
    prepare_environment()
    made = build_host(SETTINGS if SETTINGS.is_file() else None)
    settings, insights = made.settings, made.installation.insights
    address = insights.get_secret_value() if insights else ""
    set_up_telemetry(Telemetry(settings.otlp_url or "", address, settings.trace_share))
    masked = Masked(made.installation.secrets())
    for logger in (logging.getLogger(), logging.getLogger("worker")):
        for handler in logger.handlers:
            handler.addFilter(masked)
    return made


host = _start()
# Sign-in is the platform's and roles are ours to check, which function keys know nothing of: so none is asked for.
app = func.AsgiFunctionApp(create_app(host), func.AuthLevel.ANONYMOUS, function_name="web")


@app.function_name("tick")
@app.timer_trigger("timer", schedule="0 * * * * *", use_monitor=True)
def tick(timer: func.TimerRequest, context: func.Context) -> None:
    """Starts what is due. Always in UTC: local time is the engine's business."""
    del timer
    with _traced(context):
        host.engine.tick()


@app.function_name("work")
@app.queue_trigger("message", queue_name="%ENGINE_QUEUE%", connection="AzureWebJobsStorage")
def work(message: func.QueueMessage, context: func.Context) -> None:
    """One slice of a run. An error here is one failed try."""
    with _traced(context):
        host.engine.handle(_text(message), message.dequeue_count or 1)


@app.function_name("poison")
@app.queue_trigger("message", queue_name="%ENGINE_QUEUE%-poison", connection="AzureWebJobsStorage")
def poison(message: func.QueueMessage, context: func.Context) -> None:
    """A message whose tries are used up: its run ends as failed, and somebody is told."""
    with _traced(context):
        host.engine.buried(_text(message))


def _text(message: func.QueueMessage) -> str:
    return message.get_body().decode(errors="replace")


def _traced(context: func.Context) -> AbstractContextManager[None]:
    """The host's trace as the current one: functions that are not async don't get it from the worker."""
    trace = context.trace_context
    return attach_parent(trace.trace_parent or "", trace.trace_state or "")
