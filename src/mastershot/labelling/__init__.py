"""Labels of shots and what is made of them (METHODS A3 to A6), in this order.

`perception` tells what else shots show and sound like, such as how close the camera is;
`weak_labels` scores shots; `transitions` counts which label follows which, and by that `smoothing`
smooths the scores of a film; `statistics` and `figures` describe a data set; `selection` chooses
the training subset and `splits` divides it by film; `draws` samples shots for raters, whose
`verdicts` `verify` turns into confirmed labels.
"""
