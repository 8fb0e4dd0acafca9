"""The injectors: one file for each kind of fault, one class for each fault.

A fault has a `name` (its row), `times` (repetitions of a whole make fault), start() and heal(). start() answers how
long the fault is to last before heal(), in seconds, or missed(); heal() leaves everything as before it, but for what
the product itself has to heal. `allows` are statuses beside those that the contract has for a client under a fault;
`clock` says that clocks don't agree, so that times of the log can't be compared with the database's.
"""

from inject.clock import DatabaseClock, PoolClock, SpoolerClock
from inject.connections import ConnectionsUsedUp, SessionsCut
from inject.limits import PoolDescriptors, PoolMemory, SpoolerDescriptors, SpoolerMemory
from inject.locks import RowsLocked, TableLocked, UsageLocked
from inject.postgres import BackendKilled, Immediate, StandsStill
from inject.processes import NginxWorker, PoolSupervisor, PoolWorker, SpoolerSupervisor, SpoolerWorker
from inject.proxied import CommitCut, CommitLost, RowsCut
from inject.stopped import PoolStopped, SpoolerStopped

ALL = (PoolWorker, PoolSupervisor, SpoolerWorker, SpoolerSupervisor, NginxWorker, BackendKilled, Immediate, StandsStill,
       SpoolerStopped, PoolStopped, SessionsCut, ConnectionsUsedUp, TableLocked, RowsLocked, UsageLocked, PoolMemory,
       SpoolerMemory, PoolDescriptors, SpoolerDescriptors, PoolClock, SpoolerClock, DatabaseClock,
       CommitCut, CommitLost, RowsCut)
PREPARED = (PoolClock, SpoolerClock, DatabaseClock, CommitCut, CommitLost, RowsCut)  # need another start of a program
