#!/bin/bash
# hello.sh JOB: a job that tells the ledger of its beginning and its end, and lasts for as long as `hold` is there.
exec 4<> <(:)
channel=none
if [ -e "/proc/$$/fd/3" ] || [ -n "${NOTIFY_SOCKET:-}${TSUP_VISOR_NOTIFY_FD:-}" ]; then channel=open; fi
group=$(ps -o pgid= -p $$)
echo "begun $1 run=${TSUP_VISOR_RUN:-none} group=${group// /} channel=$channel" >> ledger
read -r -t 0.15 -u 4 _
while [ -e hold ]; do read -r -t 0.05 -u 4 _; done
case $1 in bad*) exit 3 ;; esac
echo "done $1" >> ledger
