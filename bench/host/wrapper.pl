# The wrapper of one host of the bench: reads the login once, when it starts, and answers on a port of loopback.
#
#   perl wrapper.pl PORT STARTUP_MS
#
# `GET /health` names the access token that this process works with, `POST /chat` gives back the last word of the message.
# Perl without modules starts in 4 ms and is part of every Debian, so what is measured is the push and not its wrapper.
use strict;
use warnings;

my ($port, $startup_ms) = @ARGV;
$SIG{PIPE} = 'IGNORE';

my $login = '';
if (open my $in, '<', "$ENV{HOME}/.claude/.credentials.json") { local $/; $login = <$in>; close $in }
my ($token) = $login =~ /"accessToken"\s*:\s*"([^"]+)"/;

select undef, undef, undef, $startup_ms / 1000;
my ($AF_INET, $SOCK_STREAM, $SOL_SOCKET, $SO_REUSEADDR, $SO_LINGER) = (2, 1, 1, 2, 13);
socket my $listener, $AF_INET, $SOCK_STREAM, 0 or die "socket: $!";
setsockopt $listener, $SOL_SOCKET, $SO_REUSEADDR, 1;
bind $listener, pack 'S n C4 x8', $AF_INET, $port, 127, 0, 0, 1 or die "bind: $!";
listen $listener, 64 or die "listen: $!";

# A connection may be open for long before its request comes: several are looked after at once.
my %open;
while (1) {
  my $wanted = '';
  vec($wanted, fileno $_, 1) = 1 for $listener, map { $_->{socket} } values %open;
  next if select($wanted, undef, undef, undef) <= 0;
  for my $client (values %open) {
    my $number = fileno $client->{socket};
    next unless vec $wanted, $number, 1;
    my $got = sysread $client->{socket}, $client->{text}, 65536, length $client->{text};
    if ($got) { answer($client) } else { close $client->{socket}; delete $open{$number} }
  }
  if (vec $wanted, fileno $listener, 1) {
    accept my $socket, $listener or next;
    # The client has closed first by then. All hosts share one kernel: without this its list of sockets would fill with
    # connections that are over, of every host, and each host looks through that list.
    setsockopt $socket, $SOL_SOCKET, $SO_LINGER, pack 'i i', 1, 0;
    $open{fileno $socket} = { socket => $socket, text => '' };
  }
}

sub answer {
  my ($client) = @_;
  my ($head, $body) = split /\r\n\r\n/, $client->{text}, 2;
  return unless defined $body;
  my ($length) = $head =~ /^content-length:\s*(\d+)/im;
  return if length $body < ($length // 0);
  $client->{text} = '';
  if ($head =~ m{^GET /health }) { reply($client, { status => 'healthy', accessToken => $token // '' }) }
  elsif ($head =~ m{^POST /chat }) {
    my ($message) = $body =~ /"message"\s*:\s*"((?:[^"\\]|\\.)*)"/;
    my ($word) = ($message // '') =~ /([\w-]+)\W*$/;
    reply($client, { status => 'success', response => defined $token ? $word // '' : 'Not logged in' });
  }
  else { syswrite $client->{socket}, "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n" }
}

sub reply {
  my ($client, $fields) = @_;
  my $json = '{' . join(',', map { qq("$_":"$fields->{$_}") } sort keys %$fields) . '}';
  my $length = length $json;
  syswrite $client->{socket}, join "\r\n", 'HTTP/1.1 200 OK', 'Content-Type: application/json',
    "Content-Length: $length", 'Connection: close', '', $json;
}
