/** Words of the room `notices`. */
export default {
  'notices.title': 'အသိပေးချက်များ',
  'notices.unread': 'အသိပေးချက်များ၊ မဖတ်ရသေး {count} ခု',
  'notices.none-unread': 'အသိပေးချက်များ၊ အားလုံး ဖတ်ပြီး',
  'notices.read-all': 'အားလုံး ဖတ်ပြီးအဖြစ် မှတ်ရန်',
  'notices.read': 'ဖတ်ပြီး',
  'notices.new': 'အသစ်',
  'notices.nothing': 'အသိပေးချက် မရှိသေးပါ။',
  'notices.whose': 'ဆရာဝန်တစ်ဦးတည်းကို ရွေးပြပါက ထိုသူ၏ အသိပေးချက်များကို မြင်ရပါမည်။',
  'notices.of': '{name} အတွက်',
  'notices.came': 'အသိပေးချက်အသစ် {count} ခု။ {title}',
}
