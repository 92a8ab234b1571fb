# sync-creds, the relay: carries one TCP connection where the host's sshd forwards none. Plain POSIX sh around the first
# tool that works here. It changes nothing on the host and ends with the connection.
#
# stdin:   three lines (nonce, address, port), from then on the bytes for the service
# stdout:  one line, the nonce and `open`, `refused` or `none`; after `open` the bytes of the service
#
# A tool that has said its line ends with 0; with any other status it could not be used, and the next one is tried.
# python3 and perl pass the end of stdin on and hear the service out, unless nobody reads them any more; bash and curl
# cannot close one direction alone: for them the end of stdin is the end.

IFS= read -r nonce && IFS= read -r address && IFS= read -r port || exit 1

attempt() {
  command -v "$1" >/dev/null 2>&1 || return
  "$@" "$nonce" "$address" "$port"
  case $? in 0 | 137 | 143) exit ;; esac
}
say() { echo && echo "$nonce $1"; }

attempt python3 -I -c '
import os, select, socket, sys

nonce, address, port = sys.argv[1:]

def say(word):
    os.write(1, ("\n%s %s\n" % (nonce, word)).encode())

try:
    service = socket.create_connection((address, int(port)))
except OSError:
    say("refused")
    sys.exit()
say("open")
events = select.poll()
events.register(0, select.POLLIN)
events.register(1, 0)  # tells when nobody reads any more
events.register(service, select.POLLIN)
try:
    while True:
        for source, _ in events.poll():
            if source == 1:
                sys.exit()
            data = os.read(source, 65536)
            if source == 0 and data:
                service.sendall(data)
            elif source == 0:
                events.unregister(0)
                service.shutdown(socket.SHUT_WR)
            elif not data:
                sys.exit()
            while source != 0 and data:
                data = data[os.write(1, data):]
except OSError:
    pass
'

attempt perl -e '
use strict;
use IO::Socket::INET;

my ($nonce, $address, $port) = @ARGV;
my $class = eval { require IO::Socket::IP } ? "IO::Socket::IP" : "IO::Socket::INET";
my $service = $class->new(PeerHost => $address, PeerPort => $port, Proto => "tcp");
put(\*STDOUT, "\n$nonce " . ($service ? "open" : "refused") . "\n");
exit unless $service;
$SIG{PIPE} = "IGNORE";
my $asking = 1;
while (1) {
  my $ready = "";
  vec($ready, 0, 1) = $asking;
  # Of the end of a pipe that is written to this tells when nobody reads any more; elsewhere it is not sure to.
  vec($ready, 1, 1) = 1 if $^O eq "linux" && -p STDOUT;
  vec($ready, fileno $service, 1) = 1;
  next if select($ready, undef, undef, undef) < 0;
  exit if vec($ready, 1, 1);
  if (vec($ready, 0, 1)) {
    $asking = sysread(STDIN, my $data, 65536) ? 1 : 0;
    $asking ? put($service, $data) : shutdown $service, 1;
  }
  if (vec($ready, fileno $service, 1)) {
    sysread($service, my $data, 65536) or exit;
    put(\*STDOUT, $data);
  }
}
sub put {
  my ($to, $data) = @_;
  while (length $data) {
    my $count = syswrite $to, $data or exit;
    substr($data, 0, $count) = "";
  }
}
'

attempt bash -c '
{ exec 3<>"/dev/tcp/$2/$3"; } 2>/dev/null || { printf "\n%s refused\n" "$1" && exit; }
printf "\n%s open\n" "$1"
exec 4<&0
answers=
trap "kill \$answers 2>/dev/null" TERM
{ cat <&4 >&3; kill -TERM $$; } &
questions=$!
cat <&3 &
answers=$!
wait $answers
kill $questions 2>/dev/null
exit 0
' bash

if curl -V 2>/dev/null | grep -qw telnet; then
  case $address in *:*) address="[$address]" ;; esac
  # curl does not tell when it is through: a first connection, soon given up, shows whether there is anybody.
  told=$(curl -q -s --noproxy '*' -m 0.3 -o /dev/null -w '%{time_connect}' "telnet://$address:$port" </dev/null)
  case $told in *[1-9]*) say open ;; *) say refused && exit ;; esac
  exec 3<&0
  carrier=
  trap 'kill "$carrier" 2>/dev/null; exit 0' TERM
  { cat <&3; kill -TERM $$; } | {
    exec 4<&0
    trap 'kill "$curl" 2>/dev/null' TERM
    # `-T .`: it must not wait for a question while an answer comes.
    curl -q -sN -T . --noproxy '*' "telnet://$address:$port" <&4 2>/dev/null &
    curl=$!
    wait "$curl"
    kill -TERM $$
  } &
  carrier=$!
  wait "$carrier"
  exit 0
fi

say none
