package BenchTime;

# Copyright (C) the nginx-ux authors
#
# Processor time a request, by pairs: servers stand side by side, each round
# sends all of them rows of requests in a random order, and compares with bare
# nginx within the round.  Everything is started anew some times, for a
# process has luck with where its memory lies.  What lies within the range of
# bare nginx against itself is below resolution.
#
# Clients and servers share one processor: to wake a server on another takes
# that server up to twice what the request does, and not the same each time.

use strict;
use warnings;

use IO::Socket::INET;
use List::Util qw/ shuffle /;
use Time::HiRes;

use UxCostShop;


my ($REQUESTS, $ROUNDS) = (1000, 5);
my @kinds = qw/ static return proxied /;


# { 'ours / static' => { median, least, most }, ... }, each a ratio to bare,
# and 'p99 ...' of what a client waits.
sub measure
{
    my ($say, $restarts) = @_;

    my @processors = gather();
    my $app = Ux::CostShop::app()->start;
    my %ratio;

    for my $n (1 .. $restarts) {
        my $one = restart('127.0.0.1:' . $app->port);
        push @{ $ratio{$_} }, $one->{$_} for keys %$one;
        $say->(sprintf 'restart %d of %d: %s', $n, $restarts, join ', ',
            map { sprintf '%s %.3f', $_, $one->{$_} }
            grep { m{^(?:bare again|ours) /} } sort keys %$one);
    }
    spread(@processors);

    return { map { $_ => range(@{ $ratio{$_} }) } keys %ratio };
}


sub range
{
    my @sorted = sort { $a <=> $b } @_;

    return { median => median(@sorted), least => $sorted[0],
        most => $sorted[-1] };
}


sub median
{
    my @sorted = sort { $a <=> $b } @_;

    return @sorted % 2 ? $sorted[@sorted / 2]
        : ($sorted[@sorted / 2 - 1] + $sorted[@sorted / 2]) / 2;
}


sub restart
{
    my ($app) = @_;

    my @lua = Ux::CostShop::has_lua() ? qw/ lua_lean lua_visitor / : ();
    my %server = map { $_ => server($_, $app) } 'bare', 'bare again', 'split',
        'auth', @lua, 'ours';
    my (%ratio, %wait);

    # the first only warms up

    rounds(\%server, {}, {});
    rounds(\%server, \%ratio, \%wait) for 1 .. $ROUNDS;
    $_->{nginx}->stop for values %server;

    my %one = map { $_ => median(@{ $ratio{$_} }) } keys %ratio;
    for my $name (keys %wait) {
        my ($who, $kind) = split m{ / }, $name;
        $one{"p99 $name"} = p99($wait{$name}) / p99($wait{"bare / $kind"})
            if $who ne 'bare';
    }

    return \%one;
}


sub p99
{
    my ($times) = @_;

    return (sort { $a <=> $b } @$times)[@$times * 0.99];
}


sub server
{
    my ($name, $app, %option) = @_;

    my ($kind) = $name =~ /^(\w+)/;
    my $nginx = Ux::nginx(Ux::CostShop::nginx($kind, app => $app, %option),
        workers => 1);
    Ux::CostShop::secret($nginx);
    $nginx->start;

    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $nginx->port, Proto => 'tcp') || die "connect: $!\n";

    return { nginx => $nginx, socket => $socket, kind => $kind,
        worker => ($nginx->workers)[0] };
}


sub rounds
{
    my ($server, $ratio, $wait) = @_;

    for my $kind (@kinds) {
        my (%spent, @times);
        for my $name (shuffle keys %$server) {
            my $path = { static => $server->{$name}{kind} eq 'ours'
                ? '/x/page.html' : '/s/page.html', return => '/r',
                proxied => '/p' }->{$kind};
            ($spent{$name}, @times) = row($server->{$name}, Ux::CostShop::page(
                $path, 'ux=' . Ux::CostShop::cookie(1)));
            push @{ $wait->{"$name / $kind"} }, @times;
        }
        push @{ $ratio->{"$_ / $kind"} }, $spent{$_} / $spent{bare}
            for grep { $_ ne 'bare' } keys %spent;
    }

    return;
}


# Nanoseconds of the worker for a row of requests, and the client's waits.
sub row
{
    my ($server, $request) = @_;

    my @times;
    my $start = cpu($server->{worker});

    for my $n (1 .. $REQUESTS) {
        my $bytes = ref $request ? $request->($n) : $request;
        my $sent = Time::HiRes::time();
        Ux::Cost::exchange($server->{socket}, $bytes);
        push @times, Time::HiRes::time() - $sent;
    }

    return (cpu($server->{worker}) - $start, @times);
}


sub cpu
{
    my ($pid) = @_;

    return (split ' ', Ux::_read("/proc/$pid/schedstat"))[0];
}


# CPU of pages of many visitors against those of a hundred, in ours: a ratio.
sub growth
{
    my ($say, $many) = @_;

    my @processors = gather();
    my $app = Ux::CostShop::app()->start;
    my %server = map { $_ => server('ours', '127.0.0.1:' . $app->port,
        zone => int($many / 5000 + 16) . 'm') } 100, $many;
    my %page;

    for my $n (keys %server) {
        fill($server{$n}{nginx}, $n, $say);
        $page{$n} = sub { Ux::CostShop::page('/p', 'ux='
            . Ux::CostShop::cookie(1 + int rand $n)) };
    }

    my @ratio;
    for (0 .. 12) {
        my %spent = map { $_ => (row($server{$_}, $page{$_}))[0] }
            shuffle keys %server;
        push @ratio, $spent{$many} / $spent{100} if $_;
    }
    $_->{nginx}->stop for values %server;
    spread(@processors);

    return range(@ratio);
}


# This process, and all that it starts, on the first of its processors; which
# these were, or nothing where that cannot be had.
sub gather
{
    my ($list, $first) = qx(taskset -pc $$ 2>/dev/null) =~ /: ((\d+)\S*)$/m;

    return if !defined $list || system "taskset -pc $first $$ >/dev/null";
    return $list;
}


# And back.
sub spread
{
    my ($list) = @_;

    system "taskset -pc $list $$ >/dev/null" if defined $list;

    return;
}


# Pages of visitors 1 .. n, many in one write.
sub fill
{
    my ($nginx, $n, $say, $path) = @_;

    my $socket = IO::Socket::INET->new(PeerAddr => '127.0.0.1',
        PeerPort => $nginx->port, Proto => 'tcp') || die "connect: $!\n";
    my ($begun, $told) = (0, 0);

    while ($begun < $n) {
        my $end = $begun + 200 > $n ? $n : $begun + 200;
        my $bytes = join '', map { Ux::CostShop::page($path || '/n', 'ux='
            . Ux::CostShop::cookie($_)) } $begun + 1 .. $end;
        my ($answers, $got) = ($end - $begun, '');

        syswrite $socket, $bytes;
        while ((() = $got =~ /^HTTP\/1.1 /mg) < $answers
            || $got !~ /\r\n\r\n\z/)
        {
            sysread $socket, $got, 1 << 20, length $got
                or die "closed while filled\n";
        }
        $begun = $end;
        $say->("$begun of $n visitors"), $told = time
            if $n > 100000 && time > $told + 10;
    }

    return;
}


1;
