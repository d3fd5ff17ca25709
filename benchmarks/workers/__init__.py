"""One process a system. Protocol: print `ready`, then for each line on standard input run one
round and print the seconds of one step."""
