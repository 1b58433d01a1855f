#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# The crawler check on lists of User-Agents and on real access logs, and the
# tables it uses: they must be what t/bot_words.pl makes of the words.
#
# TEST_UX_BOT_DRIVER names the built t/unit/bot_driver.c, UX_DATA the folder
# with the lists.

use strict;
use warnings;

use File::Temp qw(tempdir);
use FindBin;
use lib "$FindBin::Bin/lib";

use Test::More;
use UxTest;

use constant { FOUND_AT_LEAST => 0.995, WRONG_AT_MOST => 0.005 };


my $root = Ux::root();
my $driver = $ENV{TEST_UX_BOT_DRIVER} || "$root/build/t/bot_driver";
my $declared = qr/bot|crawl|spider|slurp|preview|Mediapartners|AdsBot
    |facebookexternal/ix;
my $plain = qr{Mozilla/5\.0\ \([^()]*\)\ (?:
    AppleWebKit/[\d.]+\ \(KHTML,\ like\ Gecko\)
        (?:\ (?:Version|Chrome|CriOS|Mobile|Safari|OPR|Edge)(?:/\w[\w.]*)?)+
    |Gecko/[\d.]+\ Firefox/[\d.]+ ) | Dalvik/.*}x;

is(system($^X, "$root/t/bot_words.pl", '--check'), 0,
    'src/ux_bot_words.h is as t/bot_words.pl writes it');

-x $driver or die "$driver is not there: run \"make units\" first\n";

is_deeply([ bots('', 'curl/8.5.0', 'Opera/9.80 (Windows NT 6.1)') ],
    [ 1, 1, 0 ], 'the driver answers line by line');

SKIP: {
    my $crawlers = Ux::data('user_agents/isbot_crawlers.txt');
    my $browsers = Ux::data('user_agents/isbot_browsers.txt');

    skip "no lists at $crawlers, $browsers", 2
        unless -r $crawlers && -r $browsers;

    crawlers_are_found(lines($crawlers));
    browsers_are_not(lines($browsers));
}

for my $name (qw(zanbil_access_log/access-10k.redacted.log
    advertools_nginx_log/nginx_access.log))
{
    my $log = Ux::data($name);

    SKIP: {
        skip "no log at $log", 3 unless -r $log;
        log_agrees($name, lines($log));
    }
}

done_testing();


sub crawlers_are_found
{
    my @lines = @_;

    my @bots = bots(@lines);
    my @missed = map { $lines[$_] } grep { !$bots[$_] } 0 .. $#lines;

    cmp_ok(@missed, '<=', (1 - FOUND_AT_LEAST) * @lines,
        sprintf 'crawlers: %d of %d found', @lines - @missed, scalar @lines);
    note("missed: $_") for @missed;

    return;
}


sub browsers_are_not
{
    my @lines = @_;

    my @bots = bots(@lines);
    my @wrong = map { $lines[$_] } grep { $bots[$_] } 0 .. $#lines;

    cmp_ok(@wrong, '<=', WRONG_AT_MOST * @lines,
        sprintf 'browsers: %d of %d called bots', scalar @wrong,
        scalar @lines);
    note("called a bot: $_") for @wrong;

    return;
}


# All that declare themselves are found; nothing is whose every byte is one a
# browser of that time sent.  The notes name the rest, to be read by eye.
sub log_agrees
{
    my ($name, @lines) = @_;

    my %seen;
    my @agents = grep { !$seen{$_}++ }
        map { /"[^"]*" \d+ \S+ "[^"]*" "([^"]*)"/ ? $1 : () } @lines;
    my @bots = bots(map { $_ eq '-' ? '' : $_ } @agents);

    cmp_ok(scalar(grep { /^$plain$/ } @agents), '>', 30,
        "$name: there are plain browsers");

    my @missed = map { $agents[$_] }
        grep { !$bots[$_] && $agents[$_] =~ $declared } 0 .. $#agents;
    my @more = map { $agents[$_] }
        grep { $bots[$_] && $agents[$_] !~ $declared } 0 .. $#agents;
    my @browsers = grep { /^$plain$/ } @more;

    is_deeply(\@missed, [], "$name: all that declare themselves are found");
    is_deeply(\@browsers, [], "$name: no plain browser is");
    note("also a bot: $_") for @more;

    return;
}


# The driver's word on each User-Agent.
sub bots
{
    my @agents = @_;

    my $dir = tempdir(CLEANUP => 1);

    open my $out, '>:raw', "$dir/in" or die "$dir/in: $!\n";
    print $out map { "$_\n" } @agents;
    close $out or die "$dir/in: $!\n";

    my @bots = map { /^1/ ? 1 : 0 } qx{'$driver' < '$dir/in'};
    die "$driver: ", scalar @bots, " answers\n" if $? || @bots != @agents;

    return @bots;
}


sub lines
{
    my ($path) = @_;

    open my $in, '<:raw', $path or die "$path: $!\n";
    chomp(my @lines = <$in>);

    return @lines;
}
