
:
xPlaceholder*
dtype0*
shape:

SeluSelux*
T0
 
SoftsignSoftsignx*
T0
%
addAddV2SeluSoftsign*
T0
 
SoftplusSoftplusx*
T0
&
add_1AddV2addSoftplus*
T0

EluElux*
T0
#
add_2AddV2add_1Elu*
T0

y0Identityadd_2*
T0"í