"""What both servers' Java processes share."""

from pathlib import Path

# The first compiler alone: quicker to start, less memory, and two cores are not kept busy by compiling.
QUICK_START = ("-XX:TieredStopAtLevel=1", "-XX:+UseG1GC", "-XX:+ExitOnOutOfMemoryError", "-Djava.awt.headless=true")

LASTING = tuple(option for option in QUICK_START if "Tiered" not in option)
"""For a server that runs for long: slower in its first minutes, faster ever after."""

_LOGGING = """\
status = error
appender.file.type = RollingFile
appender.file.name = file
appender.file.fileName = {file}
appender.file.filePattern = {file}.%i
appender.file.layout.type = PatternLayout
appender.file.layout.pattern = [%d{{ISO8601}}][%-5p][%c{{1.}}] %m%n
appender.file.policies.type = Policies
appender.file.policies.size.type = SizeBasedTriggeringPolicy
appender.file.policies.size.size = 10MB
appender.file.strategy.type = DefaultRolloverStrategy
appender.file.strategy.max = 3
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = [%d{{ISO8601}}][%-5p] %m%n
appender.console.filter.threshold.type = ThresholdFilter
appender.console.filter.threshold.level = error
rootLogger.level = info
rootLogger.appenderRef.file.ref = file
rootLogger.appenderRef.console.ref = console
"""


def write_logging(target: Path, log: Path) -> None:
    """Write a log4j configuration: everything into a rolling file of at most 40 MB, errors to the output as well."""
    target.write_text(_LOGGING.format(file=log))
