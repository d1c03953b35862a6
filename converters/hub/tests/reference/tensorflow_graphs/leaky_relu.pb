
:
xPlaceholder*
dtype0*
shape:
2
	LeakyRelu	LeakyRelux*
T0*
alpha%š™™>
"
y0Identity	LeakyRelu*
T0"í