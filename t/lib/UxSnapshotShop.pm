package UxSnapshotShop;

# Copyright (C) the nginx-ux authors
#
# A shop that saves often, in a directory that others may share.
#
#     use UxSnapshotShop;
#
#     my $t = shop(size => '4m')->start;       # path, more, zone, nginx
#     visit($t, 1, 20);                        # users u1 .. u20, once each
#     is(views($t), 20, 'counted');
#     $t->signal('QUIT');
#     ok(ended($t), 'it ends');                # its status is in $?

use strict;
use warnings;

use Exporter 'import';
use POSIX ();
use UxTest;


our @EXPORT = qw(conf shop visit views dir errors has_looked ended);


sub conf
{
    my (%option) = @_;

    my $path = $option{path} || '%%DIR%%/state';
    my $size = $option{size} || '2m';
    my $more = $option{more} || '';
    my $zone = defined $option{zone} ? $option{zone} : <<"CONF";
ux_zone shop $size snapshot=$path interval=100ms journeys=300ms $more;
ux_experiment layout { variant control 1; variant one 1; window off; }
CONF
    my $use = $zone eq '' ? 'location / { return 204; }' : <<'CONF';
    ux_visitor_key $http_x_user;
    ux_expose all requests=any;
    location / { ux_event view_item; return 204; }
    location /uxstats { ux_stats; }
CONF

    return <<"CONF";
$zone
server {
    listen 127.0.0.1:%%PORT%%;
    keepalive_timeout 600s;
    add_header X-Worker \$pid always;
    $use
}
CONF
}


sub shop
{
    my (%option) = @_;

    return Ux::nginx(workers => 2, %{ $option{nginx} || {} },
        conf => conf(%option));
}


sub visit
{
    my ($t, $from, $to) = @_;

    my @bad = grep {
        my $answer = $t->get('/', 'X-User' => "u$_");
        !$answer || $answer->status != 204;
    } $from .. $to;

    return !@bad;
}


sub views { return $_[0]->stats('/zones/shop/events')->{view_item} }
sub dir   { return $_[0]->dir . '/state' }
sub errors { my $n = () = $_[0]->error_log =~ /\[error\]/g; return $n }


# The servers have looked for files of others since: they have taken over those
# of one that came and went.
sub has_looked
{
    my ($dir, @servers) = @_;

    my $views = sub { my $n = 0; $n += views($_) for @servers; return $n };
    my $before = $views->();
    my $third = shop(path => $dir)->start;

    visit($third, 1, 1);
    $third->stop;

    return Ux::wait_until(sub { $views->() > $before }, 20);
}


sub ended
{
    my ($t) = @_;

    my $ended = Ux::wait_until(sub {
        waitpid($t->pid, POSIX::WNOHANG()) != 0 }, 30);
    $t->{pid} = 0 if $ended;

    return $ended;
}


1;
