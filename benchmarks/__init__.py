"""The benchmark suite: DeZero against its peers on the same machine, in alternating turns."""
