"""Where spans and figures go: nowhere, to a collector (OTLP over HTTP), or to Azure Monitor. Chosen at the entry point.

The SDK and the exporters are extras and are imported only when one is chosen. Sampling is always by a fixed share: the
default of Azure Monitor's package limits the rate and lets short runs export nothing.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from importlib import metadata

from worker.errors import ConfigError, Problem

log = logging.getLogger(__name__)
_FLUSH_MS = 5000
_INSTRUMENTATIONS = ("azure_sdk", "django", "fastapi", "flask", "psycopg2", "requests", "urllib", "urllib3", "httpx")


@dataclass(frozen=True)
class Telemetry:
    """`otlp_url`: base address of a collector. `insights`: connection string of Application Insights. `share`: 0 to 1
    of the traces."""

    otlp_url: str = ""
    insights: str = field(default="", repr=False)
    share: float = 1.0


def set_up_telemetry(choice: Telemetry) -> Callable[[], None]:
    """Starts exporting; returns what flushes and ends it, within seconds. Raises ConfigError when the extra for the
    choice is not installed."""
    if choice.insights:
        return _azure_monitor(choice)
    if choice.otlp_url:
        return _otlp(choice)
    return lambda: None


def _resource() -> dict[str, str]:
    try:
        version = metadata.version("iglobe-economic-sync")
    except metadata.PackageNotFoundError:
        version = "0"
    return {"service.name": "economic-sync", "service.version": version}


def _otlp(choice: Telemetry) -> Callable[[], None]:
    try:
        from opentelemetry import metrics, trace
        from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
        from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
    except ImportError:
        raise _missing("ENGINE_OTLP_URL", "telemetry") from None
    base = choice.otlp_url.rstrip("/")
    resource = Resource.create(_resource())
    tracers = TracerProvider(resource=resource, sampler=ParentBased(TraceIdRatioBased(choice.share)))
    tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{base}/v1/traces", timeout=5)))
    reader = PeriodicExportingMetricReader(OTLPMetricExporter(f"{base}/v1/metrics", timeout=5))
    meters = MeterProvider([reader], resource=resource)
    trace.set_tracer_provider(tracers)
    metrics.set_meter_provider(meters)

    def end() -> None:
        tracers.force_flush(_FLUSH_MS)
        meters.force_flush(_FLUSH_MS)
        tracers.shutdown()
        meters.shutdown(_FLUSH_MS)

    return end


def _azure_monitor(choice: Telemetry) -> Callable[[], None]:
    try:
        from azure.monitor.opentelemetry import configure_azure_monitor
        from opentelemetry import metrics, trace
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
    except ImportError:
        raise _missing("APPLICATIONINSIGHTS_CONNECTION_STRING", "azure") from None
    configure_azure_monitor(
        connection_string=choice.insights,
        sampling_ratio=choice.share,
        enable_live_metrics=False,
        enable_performance_counters=False,
        disable_offline_storage=True,
        logger_name="worker",
        resource=Resource.create(_resource()),
        # Our own spans say what was asked without the queries; the packages' would add them.
        instrumentation_options={name: {"enabled": False} for name in _INSTRUMENTATIONS},
    )

    def end() -> None:
        tracers, meters = trace.get_tracer_provider(), metrics.get_meter_provider()
        if isinstance(tracers, TracerProvider):
            tracers.force_flush(_FLUSH_MS)
            tracers.shutdown()
        if isinstance(meters, MeterProvider):
            meters.force_flush(_FLUSH_MS)
            meters.shutdown(_FLUSH_MS)

    return end


def _missing(setting: str, extra: str) -> ConfigError:
    problem = Problem(setting, f"needs the extra '{extra}', which is not installed.")
    return ConfigError([problem], hint=f'Run: pip install "iglobe-economic-sync[{extra}]"')
