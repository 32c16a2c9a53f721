import sys, time
from pathlib import Path
from dataclasses import replace
import numpy as np, torch
sys.path.insert(0,'/tmp/x/mining/src/mastershot/mining')
import drawn_library as d
from mastershot.datasets.world_library import shared_themes
from mastershot.store.shot_arrays import ShotArrays, write_movie
from mastershot.training.scene_pairs import ScenePairs
from mastershot.training.scene_batches import SceneBatches
from mastershot.training.scene_settings import *
from mastershot.training.networks import *
from mastershot.training.learning import length_of, _contrast
from mastershot.training.looks import plain_look
torch.set_num_threads(1)
S=replace(d.SETTINGS, films=160, probe_films=80, seed=98, probe_seed=99)
root=Path('/tmp/x/dev'); one,other=d.plan(S)
for lib,name in ((one,'learn'),(other,'probe')):
    d.draw(lib, root/name, 1)
from mastershot.encoders.catalogue import load_encoder
enc=None
for name in ('learn','probe'):
    (root/name/'starter').mkdir(exist_ok=True)
    for f in sorted((root/name/'keyframes').glob('*.npy')):
        if (root/name/'starter'/f.name).exists(): continue
        enc=enc or load_encoder('starter')
        write_movie(root/name/'starter', f.stem, enc.encode_images(list(np.load(f)[:,0])).astype(np.float32))
feat=ShotArrays(root/'learn'/'starter'); pf=ShotArrays(root/'probe'/'starter')
kf=ShotArrays(root/'learn'/'keyframes'); pk=ShotArrays(root/'probe'/'keyframes')
def mine(window, kind, rng):
    rows=[]
    for i,f in enumerate(one.films):
        for _ in range(3):
            if kind=='random': j=int(rng.integers(len(one.films)))
            else:
                sims=np.array([shared_themes(f,g) for g in one.films]); sims[i]=0
                j=int(rng.choice(np.flatnonzero(sims>=0.6)))
            if j==i: continue
            A=np.asarray(feat.movie(i)); B=np.asarray(feat.movie(j))
            A=A/np.linalg.norm(A,axis=1,keepdims=True); B=B/np.linalg.norm(B,axis=1,keepdims=True)
            def wm(x): c=np.cumsum(np.vstack([0*x[:1],x]),0); return (c[window:]-c[:-window])/window
            M=wm(A)@wm(B).T; order=np.argsort(-M,axis=None); ua=np.zeros(M.shape[0],bool); ub=np.zeros(M.shape[1],bool); got=[]
            for o in order:
                r,c=divmod(int(o),M.shape[1])
                if ua[r] or ub[c]: continue
                got.append((i,r,j,c)); ua[max(0,r-window+1):r+window]=True; ub[max(0,c-window+1):c+window]=True
                if ua.all() or ub.all(): break
            rows+=got[:(len(got)+1)//2]
    r=np.array(rows); return ScenePairs(window,feat.movies,*r.T,np.ones(len(r),np.float32))
themes={}
P=[]; 
for i,f in enumerate(other.films):
    for s,t in enumerate(f.themes): P.append((i,s*16,t))
names=sorted({t for _,_,t in P}); y=np.array([names.index(t) for _,_,t in P]); mov=np.array([m for m,_,_ in P])
def probe(fn, arrays, window):
    X=[]
    for m,s,_ in P:
        base=arrays.offsets[m]+s
        starts=np.arange(0,16-window+1,window)
        X.append(fn(arrays.scenes(base+starts,window)).mean(0))
    X=np.stack(X); tr=mov<40; te=~tr
    X=(X-X[tr].mean(0))/(X[tr].std(0)+1e-6)
    Xt=torch.tensor(X,dtype=torch.float32); yt=torch.tensor(y)
    w=torch.zeros(X.shape[1],8,requires_grad=True); b=torch.zeros(8,requires_grad=True)
    opt=torch.optim.LBFGS([w,b],max_iter=200)
    def cl():
        opt.zero_grad(); l=torch.nn.functional.cross_entropy(Xt[tr]@w+b,yt[tr])+1e-2*w.square().sum()/2; l.backward(); return l
    opt.step(cl)
    return float(((Xt[te]@w+b).argmax(1)==yt[te]).float().mean())
print('mean starter', probe(lambda s: s.mean(1), pf, 16))
def run(kind, window, net, steps, lr=1e-3, **kw):
    arrays,parr=(feat,pf) if net.network=='features' else (kf,pk)
    pairs=mine(window,kind,np.random.default_rng(0))
    st=ContrastSettings(epochs=1000,max_steps=steps,warmup_epochs=100,learning_rate=lr,queue=4096,momentum=kw.pop('momentum',.99),batch_size=64,**kw)
    rows=pairs.rows(arrays); L=length_of(st,num_items=len(pairs),num_keys=len(np.unique(np.concatenate(rows))))
    with seeded(0):
        bb=scene_network(net,SceneShape(window,arrays.row_shape)); enc=projected_network(bb,net.width,st.projection)
    emb=lambda s: bb(plain_look(torch.from_numpy(s))).detach().numpy()
    print('  untrained',probe(emb,parr,window), 'pairs',len(pairs),L)
    mod=_contrast(enc,st,L)
    opt=torch.optim.AdamW([p for p in mod.parameters() if p.requires_grad],lr=lr,weight_decay=.01); sb=SceneBatches(arrays,rows,window=window,batch_size=64,seed=0)
    class T: global_step=0
    t=time.time()
    import types
    mod.manual_backward=lambda l: l.backward()
    for s in range(steps):
        for g in opt.param_groups: g['lr']=lr*mod._rate(s)
        type(mod).global_step=property(lambda self: T.global_step); T.global_step=s
        opt.zero_grad(); fig=mod._learn(sb.batch(s),torch.Generator().manual_seed(s)); opt.step()
        if (s+1)%(steps//4)==0:
            print('  ',s+1,{k:round(float(v),3) for k,v in fig.items()},'probe',round(probe(emb,parr,window),3),round((time.time()-t)/(s+1),3),'s/step',flush=True)
if __name__=='__main__':
    for a in sys.argv[1:]:
        print(a); eval(a)
