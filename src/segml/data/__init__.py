"""Where transactions come from: readers, cleaning with its ledger, public data sets, the simulator."""
