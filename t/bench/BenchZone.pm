package BenchZone;

# Copyright (C) the nginx-ux authors
#
# What a zone costs whoever looks at it, and memory.

use strict;
use warnings;

use File::Temp ();
use JSON::PP ();
use Time::HiRes;

use BenchTime;
use UxCostShop;


# What /uxstats answers: a name, the path, Accept.
my @pages = (
    [ 'JSON', '/uxstats/api/1/', 'application/json' ],
    [ 'metrics', '/uxstats/metrics', 'text/plain' ],
    [ 'page', '/uxstats/', 'text/html' ],
);


# Milliseconds of the worker for each page, 50 experiments of 5 variants and 4
# funnels, with so many visitors: { 'JSON, 1000 visitors' => { median, ... } }.
sub pages
{
    my ($say, @visitors) = @_;

    my $nginx = Ux::nginx(conf => large(), workers => 1);
    my ($made, %row) = (0);

    Ux::CostShop::secret($nginx);
    $nginx->start;

    for my $n (@visitors) {
        BenchTime::fill($nginx, $n, $say, '/n');
        for my $page (@pages) {
            my ($name, $path, $accept) = @$page;
            my $range = page($nginx, $path, $accept) || next;
            $row{"$name, $n visitors"} = $range;
            $say->(sprintf '%s, %d visitors: %.1f ms (%.1f .. %.1f)', $name,
                $n, @$range{qw/ median least most /});
        }
    }
    $nginx->stop;

    return \%row;
}


# Looks a second apart: what is kept for a second is found anew.  Undef where
# there is no such page.
sub page
{
    my ($nginx, $path, $accept) = @_;

    my ($worker) = $nginx->workers;
    my (@ms, $json);

    for (0 .. 6) {
        Time::HiRes::sleep(1.05);
        my $start = BenchTime::cpu($worker);
        my $answer = $nginx->get($path, Accept => $accept);
        my $spent = (BenchTime::cpu($worker) - $start) / 1e6;

        $json = ($answer->header('Content-Type') || '') =~ /json/;
        return undef if $answer->status != 200
            || ($json && $accept !~ /json/);
        push @ms, $spent if $_;
    }

    return BenchTime::range(@ms);
}


sub large
{
    my $conf = "ux_zone shop 512m experiments=16;\n"
        . "ux_secret %%DIR%%/secret;\n";

    for my $f (1 .. 4) {
        $conf .= "ux_funnel checkout_$f { step view_item; step add_to_cart; "
            . "step begin_checkout; step purchase; }\n";
    }
    for my $e (1 .. 50) {
        $conf .= "ux_experiment e$e { variant control 20; "
            . join('', map { "variant v$_ 20; " } 1 .. 4) . "}\n";
    }

    return $conf . <<"EOM";
server {
    listen 127.0.0.1:%%PORT%%;
    access_log off;
    keepalive_requests 100000000;
    location = /n { ux_expose @{[ join ' ', map { "e$_" } 1 .. 8 ]};
                    return 204; }
    location /uxstats { ux_stats; }
}
EOM
}


my @figures = qw/ ns instructions lines fetched /;


# What operations of src/ take, by name: { ns, instructions, lines, fetched }.
# lines: different lines of data that one touches, its own stack with them;
# fetched: those that are not in a cache of 32 KB where such operations come
# one after the other.  Without the time where it is not wanted.
sub micro
{
    my ($program, $say, $with_time, @what) = @_;

    my %row;

    for my $what (@what) {
        my $counts = counted($program, $what);
        my $of = $with_time ? timed($program, $what) : {};

        for my $name (sort keys %$counts) {
            my $op = $row{$name} = { %{ $counts->{$name} },
                %{ $of->{$name} || {} } };
            $say->(sprintf '%-44s %s', $name, join ', ', map {
                "$_ $op->{$_}" } grep { exists $op->{$_} } @figures);
        }
    }

    return \%row;
}


# What else the program says, by name.
sub said
{
    my ($program, $say, @what) = @_;

    my %row = map { %{ timed($program, $_) } } @what;

    for my $name (sort keys %row) {
        $say->(sprintf '%-44s %s', $name, join ', ', map {
            "$_ $row{$name}{$_}" } sort keys %{ $row{$name} });
    }

    return \%row;
}


# By name what the program prints of it.
sub timed
{
    my ($program, $what) = @_;

    my %row;

    for (split /\n/, qx($program $what)) {
        my $row = eval { JSON::PP::decode_json($_) } || next;
        $row{delete $row->{name}} = $row;
    }
    die "$program $what: failed\n" if $?;

    return \%row;
}


# By name { instructions, lines, fetched }, all of one operation.  The caches
# are as t/bench/micro_measure.c takes them to be.  An environment of its own:
# by its length the stack begins elsewhere, and takes a line or two more.
sub counted
{
    my ($program, $what) = @_;

    my $dir = File::Temp->newdir;
    my $said = qx(env -i PATH="\$PATH" valgrind --tool=callgrind \\
        --instr-atstart=no --collect-atstart=no --cache-sim=yes \\
        --I1=32768,8,64 --D1=32768,8,64 --LL=1048576,16,64 \\
        --callgrind-out-file=$dir/out $program $what 2>&1);
    my %row;

    die "callgrind of $program $what: $said" if $?;

    for my $path (glob "$dir/out.*") {
        my $text = Ux::_read($path);
        my ($name, $kind, $n) = $text
            =~ /^desc: Trigger: Client Request: (.*)\|(\w+)\|(\d+)$/m or next;
        my ($events) = $text =~ /^events: (.*)$/m;
        my ($totals) = $text =~ /^totals: (.*)$/m;
        my %total;

        @total{split ' ', $events} = split ' ', $totals;
        $_ ||= 0 for @total{qw/ Ir D1mr D1mw DLmr DLmw /};

        if ($kind eq 'cold') {
            $row{$name}{lines} = sprintf('%.1f',
                ($total{DLmr} + $total{DLmw}) / $n) + 0;
        } else {
            $row{$name}{instructions} = sprintf('%.0f', $total{Ir} / $n) + 0;
            $row{$name}{fetched} = sprintf('%.3f',
                ($total{D1mr} + $total{D1mw}) / $n) + 0;
        }
    }

    return \%row;
}


1;
