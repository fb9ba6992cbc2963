"""The colours of all plots and of the live display: one colour, one meaning.

The eight hues of Okabe and Ito ("Color Universal Design", 2008) can be told apart with any kind of
colour vision.
"""

BLACK, ORANGE, SKY_BLUE, GREEN = "#000000", "#E69F00", "#56B4E9", "#009E73"
YELLOW, BLUE, VERMILLION, PURPLE = "#F0E442", "#0072B2", "#D55E00", "#CC79A7"
GREY, LIGHT_GREY = "#888888", "#BBBBBB"

# Within a run.
ALL_GOALS, TABLE_GOALS, AIR_GOALS = BLACK, ORANGE, BLUE
ACTOR, CRITIC, Q = PURPLE, VERMILLION, GREEN
TIMES = {"rollouts": SKY_BLUE, "updates": YELLOW, "evaluation": GREY, "saving": LIGHT_GREY}

# Runs that are compared, in the order in which they are named.
GROUPS = (BLUE, VERMILLION, GREEN, PURPLE, ORANGE, SKY_BLUE, BLACK, YELLOW)
