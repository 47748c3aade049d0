# A job's child process: bash job.sh ID MILLISECONDS. Records when it begins, and when it is done.
echo "begin $1 ${TSUP_VISOR_RUN:-0} $EPOCHREALTIME" >> "$JOURNAL"
printf -v seconds '%d.%03d' $(($2 / 1000)) $(($2 % 1000))
sleep "$seconds"
echo "end $1 ${TSUP_VISOR_RUN:-0} $EPOCHREALTIME" >> "$JOURNAL"
