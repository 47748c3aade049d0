#!/bin/bash
# hello.sh JOB SECONDS: what some of the jobs go through. Lasts for as long as the file `hold` is there, too.
echo "hello $1" >> ledger
sleep "$2"
exec 4<> <(:)
while [ -e hold ]; do read -r -t 0.05 -u 4 _; done
echo "goodbye $1" >> ledger
