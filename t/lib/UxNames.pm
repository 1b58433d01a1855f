package UxNames;

# Copyright (C) the nginx-ux authors
#
# A zone in which every name is as long as it may be, and a visitor of three
# pages:
#
#     my ($t, $long, @variants) = UxNames::longest();
#
# $long has the zone's, experiment's, event's and funnel's names.

use strict;
use warnings;

use UxTest;


sub longest
{
    my %long = map { $_ => $_ . 'z0_' x ((64 - length) / 3)
        . '9' x ((64 - length) % 3) } qw(zone experiment event funnel);
    my @variants = ('Aa.-_0' x 10 . 'Z.-_', 'b' x 64);

    die "not all of 64\n" if grep { length != 64 } values %long, @variants;

    my $t = Ux::nginx(conf => <<"EOF")->start;
    ux_zone $long{zone} 4m;
    ux_experiment $long{experiment} {
        variant $variants[0] 1; variant $variants[1] 1;
        goal $long{event}; }
    ux_funnel $long{funnel} { step $long{event}; cart $long{event}; }
    server {
        listen 127.0.0.1:%%PORT%%;
        ux_expose all;
        location / { ux_event $long{event}; return 204; }
        location /uxstats { ux_stats; }
    }
EOF

    my $browser = $t->browser;
    $browser->go('/') for 1 .. 3;

    return ($t, \%long, @variants);
}


1;
