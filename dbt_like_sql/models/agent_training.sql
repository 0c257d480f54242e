-- description: One row per season, agent and generation: how the agent that plays the season was trained before it.
-- grain: season, agent, generation
-- partitioned_by: season
-- column: season | Season that the agent plays | year
-- column: agent | linear, or ppo where the extra rl is installed
-- column: generation | Place in the learning curve, from 1 | count
-- column: mean_points | Mean points per season of all agents of the generation | points
-- column: elite_points | Mean points per season of its best ones; null for ppo, which is one agent | points
-- column: best_points | Points per season of the best one; null for ppo | points
-- column: simulator_season | Season whose simulator the generation played on; null for ppo, which plays on all | year
-- column: simulator_seasons | Simulators it was trained on, each made before the first race of its season
-- column: model_uri | The trained agent in MLflow
-- check: simulator_season is null or simulator_season <= season
-- check: generation >= 1
-- check: best_points is null or best_points >= mean_points - 1e-6
select
    cast(inc.season as integer) as season,
    cast(inc.agent as varchar) as agent,
    cast(inc.generation as integer) as generation,
    cast(inc.mean_points as double) as mean_points,
    cast(inc.elite_points as double) as elite_points,
    cast(inc.best_points as double) as best_points,
    cast(inc.simulator_season as integer) as simulator_season,
    cast(inc.simulator_seasons as varchar) as simulator_seasons,
    cast(inc.model_uri as varchar) as model_uri,
from incoming as inc
