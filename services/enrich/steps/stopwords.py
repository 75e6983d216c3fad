"""English words that carry no subject, and those that every commit message has."""

_WORDS = """
a about above after again against all almost also although always am an and another any anyone anything are aren't
as ask at away back be because been before being below best better between both but by bit can cannot can't could
couldn't did didn't do does doesn't doing done don't down during each either else even ever every few first for from
further get gets getting give given go goes going good got great had has have haven't having he he's her here hers
hi him his how however i i'd i'll i'm i've if in instead into is isn't it its it's itself just keep know last later
least less let let's like little long look looks lot made make makes making many may maybe me might more most much
must my myself need needs never new next no nor not nothing now of off ok okay old on once one only or other others
our ours out over own part people perhaps please point possible probably put question quite rather really right said
same say says second see seem seems seen several she should shouldn't show since so some someone something soon sorry
still such sure take than thank thanks that that's the their theirs them then there there's these they they're thing
things think this those though three through thus time to together too try trying two under until up upon us use
used uses using very via want wants was wasn't way we we'll we're we've well were weren't what what's when where
whether which while who whole whom whose why will with within without won't work works would wouldn't yes yet you
you'd you'll you're you've your yours
add adds added bump bumps change changes changed cleanup commit fix fixes fixed merge merged merges minor pr pull
refactor release remove removes removed rename renamed request revert rollup small typo update updates updated wip
"""
STOPWORDS = frozenset(_WORDS.split())
