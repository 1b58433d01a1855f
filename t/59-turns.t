#!/usr/bin/perl

# Copyright (C) the nginx-ux authors
#
# A large report is rendered in turns of the event loop: what else the worker
# has to do is done in between.  Turns are counted, not time: a request to the
# same worker through itself takes some of them, and is over, by the order of
# the access log, before the report that was asked for earlier.

use strict;
use warnings;

use FindBin;
use lib "$FindBin::Bin/lib";

use JSON::PP ();
use Test::More;
use UxTest;


my $EXPERIMENTS = 40;

my $conf = join '', "ux_zone shop 64m experiments=16;\n", map {
    "ux_experiment e$_ { variant control 1; variant b 1; }\n"
} 1 .. $EXPERIMENTS;

my $t = Ux::nginx(workers => 1, conf => $conf . <<'EOM',
log_format order '$request_method $uri $status';
server {
    listen 127.0.0.1:%%PORT%%;
    access_log %%DIR%%/order.log order;
    location /uxstats { ux_stats any; }
    location /page { ux_expose e1 e40; return 204; }
    location /away { proxy_pass http://127.0.0.1:%%PORT%%/here; }
    location /here { return 200 here; }
    location /ssi { ssi on; ssi_types text/plain; alias %%DIR%%/html; }
}
EOM
    files => { 'all.html' => "begin\n"
        . '<!--# include virtual="/uxstats/api/1/zones/shop/experiments" -->'
        . '<!--# include virtual="/uxstats/api/1/zones/shop/visitors" -->'
        . '<!--# include virtual="/uxstats/export.csv" -->'
        . "end\n" })->start;

$t->browser->go('/page') for 1 .. 20;

my ($worker) = $t->workers;

# Everything that is asked for

for my $path ('/uxstats', '/uxstats/metrics', '/uxstats/export.csv') {
    my @log = between('HEAD', $path);
    is("@log[0, 1]", 'GET /here 200 GET /away 200',
        "$path: another request is answered meanwhile");
    is($log[2], "HEAD $path 200", "$path: then it is");
}

my @log = between('HEAD', '/uxstats', 'text/html');
is("@log[0, 1]", 'GET /here 200 GET /away 200', 'the page: likewise');

# A part is made of what it shows, no more

@log = between('HEAD', '/uxstats/api/1/zones/shop/visitors');
is($log[0], 'HEAD /uxstats/api/1/zones/shop/visitors 200',
    'a small part is there at once');
@log = between('HEAD', '/uxstats/api/1/zones/none');
is($log[0], 'HEAD /uxstats/api/1/zones/none 404', 'so is what is not there');

my $get = $t->get('/uxstats');
is($get->header('Content-Length'), length $get->body, 'its length is told');
is(keys %{ $get->json->{zones}{shop}{experiments} }, $EXPERIMENTS,
    'all of it is there');

for my $path ('', '/visitors', '/experiments', '/experiments/e40',
    '/experiments/e40/variants/b/visitors')
{
    my ($node, $part) = ($get->json->{zones}{shop},
        $t->get("/uxstats/api/1/zones/shop$path")->body);
    $node = $node->{$_} for grep { length } split m{/}, $path;
    is(text(JSON::PP->new->allow_nonref->decode($part)), text($node),
        "the part $path is as in all of it");
}

# Included in a page

my $ssi = $t->get('/ssi/all.html')->body;
my ($first, $second, $third) = $ssi
    =~ /\Abegin\n(\{.*\})\n(\{.*\})\n(zone,.*)\nend\n\z/s;
is(keys %{ JSON::PP::decode_json($first || '{}') }, $EXPERIMENTS,
    'included: the experiments');
is(JSON::PP::decode_json($second || '{}')->{tracked}, 20, 'and the visitors');
is($third, $t->get('/uxstats/export.csv')->body =~ s/\n\z//r,
    'and the rows');

# Clients that leave

my $asked = () = order() =~ m{^GET /(?:uxstats|ssi)}mg;
for my $path (('/uxstats', '/uxstats/metrics') x 5, '/ssi/all.html') {
    my $left = $t->connection;
    begin($left, 'GET', $path);
    is(get('/away'), 'here', "$path: it was asked for");
    $left->close;
}
ok(Ux::wait_until(sub {
        (() = order() =~ m{^GET /(?:uxstats|ssi)}mg) >= $asked + 11 }),
    'each of these requests comes to its end');
is($t->get('/here')->body, 'here', 'and the worker goes on');
is(($t->workers)[0], $worker, 'which is the same');

# One that reads nothing: no lock is held, the next is answered

my $slow = $t->connection;
begin($slow, 'GET', '/uxstats');
is(keys %{ $t->get('/uxstats')->json->{zones}{shop}{experiments} },
    $EXPERIMENTS, 'beside one that reads nothing: all is told');
$t->browser->go('/page');
is($t->get('/uxstats/api/1/zones/shop/visitors')->json->{tracked}, 21,
    'and counted');
is(keys %{ $slow->read_response->json->{zones}{shop}{experiments} },
    $EXPERIMENTS, 'and it can still be read');

# A worker that is to leave: many are asked for, so that it is not done before

my @last = map { $t->connection } 1 .. 12;
begin($_, 'GET', '/uxstats') for @last;
is(get('/away'), 'here', 'rendering has begun');
kill 'QUIT', $worker;
is_deeply([ map { $_ ? scalar keys %{ $_->json->{zones}{shop}{experiments} }
    : 0 } map { $_->read_response } @last ], [ ($EXPERIMENTS) x 12 ],
    'a worker that leaves ends what it renders');
ok(Ux::wait_until(sub { !kill 0, $worker }), 'and leaves');

$t->stop;
$t->no_alerts;

done_testing();


# What the access log says of a request of this method and path and of one
# through the worker itself, both there when the worker goes on.
sub between
{
    my ($method, $path, $accept) = @_;

    my ($report, $other) = ($t->connection, $t->connection);
    my $before = length order();

    # both connections are known to the worker

    for ($report, $other) {
        begin($_, 'GET', '/here');
        $_->read_response;
    }
    Ux::wait_until(sub { (() = substr(order(), $before) =~ /\n/g) == 2 });
    $before = length order();

    Ux::halt($worker);
    begin($report, $method, $path, $accept);
    begin($other, 'GET', '/away');
    kill 'CONT', $worker;

    $other->read_response;
    $report->read_response($method);
    Ux::wait_until(sub { (() = substr(order(), $before) =~ /\n/g) == 3 });

    return split /\n/, substr order(), $before;
}


sub begin
{
    my ($connection, $method, $path, $accept) = @_;

    $accept ||= '*/*';
    $connection->send("$method $path HTTP/1.1\r\nHost: x\r\n"
        . "Accept: $accept\r\n\r\n") or die "not sent\n";

    return;
}


sub get { return $t->get($_[0])->body }

sub order { return Ux::_read($t->dir . '/order.log') }


# Of two readings moments apart what does not change.
sub text
{
    my $text = JSON::PP->new->canonical->allow_nonref->encode($_[0]);

    $text =~ s/"(?:\w*_seconds|p_now|generated_at)":[^,}]*//g;

    return $text;
}
