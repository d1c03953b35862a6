//! temp
use dyno_image::*; use std::io::{BufRead,Write};
fn main(){
 let src=std::fs::read("/tmp/imgcmp/src.bin").unwrap(); let mut pos=0usize;
 let mut out=std::io::BufWriter::new(std::fs::File::create("/tmp/imgcmp/out.bin").unwrap());
 let mut r=Resizer::new(); let mut d=Image::default();
 for l in std::io::BufReader::new(std::fs::File::open("/tmp/imgcmp/jobs.txt").unwrap()).lines(){
  let l=l.unwrap(); let f:Vec<&str>=l.split(' ').collect();
  let n=|i:usize|f[i].parse::<u32>().unwrap(); let g=|i:usize|f[i].parse::<f64>().unwrap();
  let (w,h,ow,oh)=(n(1),n(2),n(3),n(4)); let len=(w*h*3) as usize;
  let im=Image::from_raw(w,h,src[pos..pos+len].to_vec()).unwrap(); pos+=len;
  match f[0]{
   "warp"=>r.warp_letterbox(&im,ow,oh,g(5),g(6),g(7),[10,20,30],&mut d).unwrap(),
   k=>{let k:dyno_core::Kernel=serde_json::from_str(&format!("\"{k}\"")).unwrap();
     if f.len()>5 {r.resize_by_factor(&im,ow,oh,g(5),g(6),k,&mut d).unwrap()} else {r.resize(&im,ow,oh,k,&mut d).unwrap()}}
  }
  out.write_all(d.data()).unwrap();
 }
}
