#!/bin/sh
# make bench: the figures and their goals, the peers measured in the same run where they are installed. Under five minutes.
# Wall figures of a busy machine mean little: CPU stands beside them, and a peer always runs in turn with ours.
# B is the build directory; ROWS names the files below this directory to run (default: all).
set -u
: "${B:=build/release-g++}"
: "${ROWS:=banner connection dns messages large idle whitelist greylist sender sender-tls starttls source}"
here=tests/bench
. $here/common.sh

start_bench
for rows in $ROWS; do . "$here/$rows.sh"; done
echo "$missed goals not reached"
