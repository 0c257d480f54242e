# A marimo notebook, after `pip install -e '.[notebooks]'`: `marimo edit docs/notebooks/explore_warehouse.py`.
# It reads the published copy of the warehouse.
import marimo

app = marimo.App(width="medium", app_title="Explore the warehouse")


@app.cell
def _():
    import duckdb
    import marimo as mo
    import matplotlib.pyplot as plt

    from f1_pipeline.settings import load_settings

    return duckdb, load_settings, mo, plt


@app.cell
def _(mo):
    mo.md(
        """
        # Explore the warehouse

        This notebook reads the copy of the warehouse that the last run published, and the same one from its first cell
        to its last: run it again to see the next. How to read the warehouse is told in `docs/warehouse.md`, every
        column in `docs/data_dictionary.md`.
        """
    )
    return


@app.cell
def _(duckdb, load_settings):
    warehouse = duckdb.connect(str(load_settings().published_path), read_only=True)
    (newest_race,) = warehouse.sql("select max_by(race_key, race_date) from reader.races where is_finished").fetchone()
    (next_race,) = warehouse.sql("select max_by(race_key, lock_at) from reader.races").fetchone()
    return newest_race, next_race, warehouse


@app.cell
def _(mo, newest_race):
    mo.md(f"""## Leaderboard: {newest_race}""")
    return


@app.cell
def _(mo, newest_race, warehouse):
    leaderboard = warehouse.execute(
        """
        select asset_type, points_rank, asset_name, total_points, fantasy_price_musd, points_per_million
        from reader.race_leaderboard(race := $race)
        """,
        {"race": newest_race},
    ).to_arrow_table()
    mo.ui.table(leaderboard, selection=None)
    return (leaderboard,)


@app.cell
def _(mo, next_race):
    looked_back = mo.ui.slider(1, 10, value=3, label="races to look back")
    mo.vstack([mo.md(f"""## Form before {next_race}"""), looked_back])
    return (looked_back,)


@app.cell
def _(looked_back, mo, next_race, warehouse):
    form = warehouse.execute(
        """
        select asset_type, asset_name, fantasy_price_musd, mean_points, worst_points, best_points, recent_points
        from reader.form(race := $race, n := $n)
        """,
        {"race": next_race, "n": looked_back.value},
    ).to_arrow_table()
    mo.ui.table(form, selection=None)
    return (form,)


@app.cell
def _(mo):
    mo.md(
        """
        ## Value

        Expected points against price. Above the line through zero and the middle of the field a million buys more than
        usual.
        """
    )
    return


@app.cell
def _(plt, warehouse):
    value = warehouse.sql(
        """
        select asset_name, asset_type, cast(fantasy_price_musd as double) as price, expected_points
        from reader.value()
        """
    ).fetchnumpy()
    value_figure, value_axes = plt.subplots(figsize=(9, 5), layout="constrained")
    for kind, marker in (("driver", "o"), ("constructor", "s")):
        of_kind = value["asset_type"] == kind
        value_axes.scatter(value["price"][of_kind], value["expected_points"][of_kind], marker=marker, label=kind)
    for name, price, points in zip(value["asset_name"], value["price"], value["expected_points"], strict=True):
        value_axes.annotate(name, (price, points), (3, 3), textcoords="offset points", fontsize=7)
    usual = value["expected_points"].sum() / value["price"].sum()
    value_axes.axline((0, 0), slope=usual, color="grey", linewidth=0.8)
    value_axes.set(xlabel="price, million dollars", ylabel="expected points")
    value_axes.legend()
    value_figure
    return (value,)


@app.cell
def _(mo):
    mo.md(
        """
        ## Calibration

        Of the scores, how many fell into the central 50, 80 and 90 percent of the forecast. On the diagonal a forecast
        is as sure as it should be.
        """
    )
    return


@app.cell
def _(plt, warehouse):
    calibration = warehouse.sql(
        """
        select forecast, race_count, coverage_50_share, coverage_80_share, coverage_90_share
        from evaluation.forecast_accuracy
        where season = 'all' and phase = 'at_lock' and asset_type = 'all'
            and forecast in ('published', 'ewma_price_prior')
        order by forecast, is_live
        """
    ).fetchall()
    calibration_figure, calibration_axes = plt.subplots(figsize=(5, 5), layout="constrained")
    aims = (0.5, 0.8, 0.9)
    for forecast, race_count, *shares in calibration:
        calibration_axes.plot(aims, shares, marker="o", label=f"{forecast}, {race_count} races")
    calibration_axes.axline((0, 0), slope=1, color="grey", linewidth=0.8)
    calibration_axes.set(xlim=(0.4, 1), ylim=(0.4, 1), xlabel="share of the distribution", ylabel="share of the scores")
    calibration_axes.legend()
    calibration_figure
    return (calibration,)


@app.cell
def _(mo, warehouse):
    names = [
        name
        for (name,) in warehouse.sql(
            "select distinct asset_name from reader.price_history where season = (select max(season) from reader.races)"
            " order by all"
        ).fetchall()
    ]
    shown = mo.ui.multiselect(names, value=names[:5], label="assets")
    mo.vstack([mo.md("""## Price history"""), shown])
    return (shown,)


@app.cell
def _(plt, shown, warehouse):
    prices = warehouse.execute(
        """
        select
            asset_name, list(race_date order by race_date),
            list(cast(fantasy_price_musd as double) order by race_date),
        from reader.price_history
        where season = (select max(season) from reader.races) and list_contains($names, asset_name)
        group by asset_name
        order by asset_name
        """,
        {"names": shown.value},
    ).fetchall()
    price_figure, price_axes = plt.subplots(figsize=(9, 4), layout="constrained")
    for asset_name, dates, musd in prices:
        price_axes.step(dates, musd, where="post", marker=".", label=asset_name)
    price_axes.set(ylabel="price, million dollars")
    price_axes.legend()
    price_figure
    return (prices,)


if __name__ == "__main__":
    app.run()
