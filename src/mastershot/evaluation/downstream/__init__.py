"""The downstream tasks of Movies2Scenes: what they ask, and how answers are measured.

In order: `published` figures, as papers print them; `tasks` is the table, one row a task; `items`
are labelled things with vectors, which a probe learns from; `figures` measure its answers;
`retrieval` needs no probe; `outcomes` are the answers item by item; `results` hold all of it. Only
arrays are here: `training/probes` trains the probes, and `pipeline/evaluation/downstream` reads
labels and vectors.
"""
