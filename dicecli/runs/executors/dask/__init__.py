"""Cases as tasks of a Dask cluster: processes of this machine, or a cluster that exists."""

from dicecli.runs.executors.dask.tasks import fold, run

__all__ = ["fold", "run"]
